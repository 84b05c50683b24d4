// One question, one answer, read from `steps`; the same by GET, with the input in front.
import assert from "node:assert/strict";
import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({ apiKey: process.env.GEMINI_API_KEY });

const interaction = await client.interactions.create({
  model: "gemini-3.5-flash",
  input: "Tell me a short joke about programming.",
});
console.log(interaction.steps.at(-1).content[0].text);

assert.equal(interaction.status, "completed");
assert.deepEqual(interaction.steps, [
  {
    type: "model_output",
    content: [{ type: "text", text: "Tell me a short joke about programming." }],
  },
]);
assert.equal(interaction.usage.total_output_tokens, 7);

const again = await client.interactions.get(interaction.id);
assert.deepEqual(
  again.steps.map((step) => step.type),
  ["user_input", "model_output"],
);
assert.deepEqual(again.steps.slice(1), interaction.steps);
