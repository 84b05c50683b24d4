// A stream of a run behind that breaks off and is resumed.
import assert from "node:assert/strict";
import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({ apiKey: process.env.GEMINI_API_KEY });
const words = Array.from({ length: 12 }, (_, number) => `word${number}`).join(" ");

// The stream breaks off after a few events; the rest is fetched with the last event id.
const seen = [];
let text = "";
let lastEventId;
let id;
const take = (chunk) => {
  seen.push([chunk.event_type, chunk.index]);
  lastEventId = chunk.event_id ?? lastEventId;
  if (chunk.event_type === "interaction.created") id = chunk.interaction.id;
  if (chunk.event_type === "step.delta" && chunk.delta.type === "text") text += chunk.delta.text;
};
const stream = await client.interactions.create({
  model: "slow",
  input: words,
  background: true,
  stream: true,
});
for await (const chunk of stream) {
  take(chunk);
  if (seen.length === 5) break;
}
assert.notEqual(text, words);
const rest = await client.interactions.get(id, { stream: true, last_event_id: lastEventId });
for await (const chunk of rest) take(chunk);
console.log(text);
assert.equal(text, words);
const whole = [];
for await (const chunk of await client.interactions.get(id, { stream: true })) {
  whole.push([chunk.event_type, chunk.index]);
}
assert.deepEqual(seen, whole);
