// A conversation kept by the client as turns, and one kept by the server.
import assert from "node:assert/strict";
import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({ apiKey: process.env.GEMINI_API_KEY });

const first = await client.interactions.create({
  model: "gemini-2.5-flash",
  input: "Tell me a short joke about programming.",
});
const second = await client.interactions.create({
  model: "gemini-2.5-flash",
  input: [
    { role: "user", content: "Tell me a short joke about programming." },
    { role: "model", content: first.outputs },
    { role: "user", content: "Now one about databases." },
  ],
});
assert.equal(second.outputs.at(-1).text, "Now one about databases.");
assert.ok(second.usage.total_input_tokens > first.usage.total_input_tokens);

const third = await client.interactions.create({
  model: "gemini-2.5-flash",
  input: "And one about networks.",
  previous_interaction_id: first.id,
});
assert.ok(third.usage.total_input_tokens > first.usage.total_input_tokens);
