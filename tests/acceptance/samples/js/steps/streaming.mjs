// A stream of steps, thoughts first.
import assert from "node:assert/strict";
import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({ apiKey: process.env.GEMINI_API_KEY });

const stream = await client.interactions.create({
  model: "gemini-3.5-flash",
  input: "Explain quantum entanglement in simple terms.",
  generation_config: { thinking_level: "low", thinking_summaries: "auto" },
  stream: true,
});

const names = [];
let text = "";
let thought = "";
let signature;
let id;
let completed;
for await (const chunk of stream) {
  names.push(chunk.event_type);
  if (chunk.event_type === "interaction.created") id = chunk.interaction.id;
  if (chunk.event_type === "interaction.completed") completed = chunk.interaction;
  if (chunk.event_type === "step.delta") {
    if (chunk.delta.type === "text") text += chunk.delta.text;
    if (chunk.delta.type === "thought_summary") thought += chunk.delta.content.text;
    if (chunk.delta.type === "thought_signature") signature = chunk.delta.signature;
  }
}
console.log(thought, text);

assert.equal(text, "Explain quantum entanglement in simple terms.");
assert.equal(thought, "Thinking about: Explain quantum entanglement in simple terms.");
assert.equal(names[0], "interaction.created");
assert.equal(names.at(-1), "interaction.completed");
assert.equal(names.filter((name) => name === "step.start").length, 2);
assert.equal(names.filter((name) => name === "step.stop").length, 2);
assert.equal(completed.id, id);
assert.equal(completed.status, "completed");
assert.ok(completed.usage.total_tokens > 0);

const whole = await client.interactions.get(id);
assert.deepEqual(
  whole.steps.map((step) => step.type),
  ["user_input", "thought", "model_output"],
);
assert.equal(whole.steps[1].signature, signature);
assert.equal(whole.steps[2].content[0].text, text);
