// A run behind, cancelled while it runs.
import assert from "node:assert/strict";
import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({ apiKey: process.env.GEMINI_API_KEY });

const running = await client.interactions.create({
  model: "slow",
  input: "word ".repeat(600),
  background: true,
});
const cancelled = await client.interactions.cancel(running.id);
assert.equal(cancelled.status, "cancelled");
assert.equal((await client.interactions.get(running.id)).status, "cancelled");
