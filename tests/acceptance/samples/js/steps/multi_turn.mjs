// A conversation kept by the client as steps, and one kept by the server.
import assert from "node:assert/strict";
import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({ apiKey: process.env.GEMINI_API_KEY });

const first = await client.interactions.create({
  model: "gemini-3.5-flash",
  input: "Tell me a short joke about programming.",
});
const second = await client.interactions.create({
  model: "gemini-3.5-flash",
  input: [
    { type: "user_input", content: [{ type: "text", text: "Tell me a short joke." }] },
    ...first.steps,
    { type: "user_input", content: [{ type: "text", text: "Now one about databases." }] },
  ],
});
assert.equal(second.steps.at(-1).content[0].text, "Now one about databases.");
assert.ok(second.usage.total_input_tokens > first.usage.total_input_tokens);

const third = await client.interactions.create({
  model: "gemini-3.5-flash",
  input: "And one about networks.",
  previous_interaction_id: first.id,
});
assert.ok(third.usage.total_input_tokens > first.usage.total_input_tokens);
