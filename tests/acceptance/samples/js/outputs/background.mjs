// A run behind, polled until it has ended.
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({ apiKey: process.env.GEMINI_API_KEY });
const words = Array.from({ length: 12 }, (_, number) => `word${number}`).join(" ");

const started = await client.interactions.create({ model: "slow", input: words, background: true });
assert.equal(started.status, "in_progress");
let polled = started;
for (let round = 0; polled.status === "in_progress"; round += 1) {
  assert.ok(round < 200);
  await pause(100);
  polled = await client.interactions.get(started.id);
}
assert.equal(polled.status, "completed");
assert.equal(polled.outputs.at(-1).text, words);
