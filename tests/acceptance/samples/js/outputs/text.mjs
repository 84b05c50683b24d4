// One question, one answer, read from `outputs`; the same by GET.
import assert from "node:assert/strict";
import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({ apiKey: process.env.GEMINI_API_KEY });

const interaction = await client.interactions.create({
  model: "gemini-2.5-flash",
  input: "Tell me a short joke about programming.",
});
console.log(interaction.outputs.at(-1).text);

assert.equal(interaction.status, "completed");
assert.equal(interaction.role, "model");
assert.deepEqual(interaction.outputs, [
  { type: "text", text: "Tell me a short joke about programming." },
]);
assert.equal(interaction.usage.total_output_tokens, 7);

const again = await client.interactions.get(interaction.id);
assert.deepEqual(again.outputs, interaction.outputs);
