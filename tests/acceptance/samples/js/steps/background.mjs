// A run behind, polled until it has ended.
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({ apiKey: process.env.GEMINI_API_KEY });
const words = Array.from({ length: 12 }, (_, number) => `word${number}`).join(" ");

const started = await client.interactions.create({ model: "slow", input: words, background: true });
assert.ok(["queued", "in_progress"].includes(started.status));
let polled = started;
for (let round = 0; ["queued", "in_progress"].includes(polled.status); round += 1) {
  assert.ok(round < 200);
  await pause(100);
  polled = await client.interactions.get(started.id);
}
assert.equal(polled.status, "completed");
assert.equal(polled.steps.at(-1).content[0].text, words);
