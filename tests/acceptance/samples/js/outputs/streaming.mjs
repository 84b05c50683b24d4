// A stream of contents, thoughts first.
import assert from "node:assert/strict";
import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({ apiKey: process.env.GEMINI_API_KEY });

const stream = await client.interactions.create({
  model: "gemini-2.5-flash",
  input: "Explain quantum entanglement in simple terms.",
  generation_config: { thinking_level: "low", thinking_summaries: "auto" },
  stream: true,
});

const names = [];
let text = "";
let thought = "";
let signature;
let id;
let complete;
for await (const chunk of stream) {
  names.push(chunk.event_type);
  if (chunk.event_type === "interaction.start") id = chunk.interaction.id;
  if (chunk.event_type === "interaction.complete") complete = chunk.interaction;
  if (chunk.event_type === "content.delta") {
    if (chunk.delta.type === "text") text += chunk.delta.text;
    if (chunk.delta.type === "thought_summary") thought += chunk.delta.content.text;
    if (chunk.delta.type === "thought_signature") signature = chunk.delta.signature;
  }
}
console.log(thought, text);

assert.equal(text, "Explain quantum entanglement in simple terms.");
assert.equal(thought, "Thinking about: Explain quantum entanglement in simple terms.");
assert.equal(names[0], "interaction.start");
assert.equal(names.at(-1), "interaction.complete");
assert.equal(names.filter((name) => name === "content.start").length, 2);
assert.equal(names.filter((name) => name === "content.stop").length, 2);
assert.equal(complete.id, id);
assert.equal(complete.status, "completed");
assert.ok(complete.usage.total_tokens > 0);

const whole = await client.interactions.get(id);
assert.deepEqual(
  whole.outputs.map((content) => content.type),
  ["thought", "text"],
);
assert.equal(whole.outputs[0].signature, signature);
assert.equal(whole.outputs[1].text, text);
