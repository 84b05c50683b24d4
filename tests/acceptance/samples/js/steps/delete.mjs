// A stored interaction, deleted for good.
import assert from "node:assert/strict";
import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({ apiKey: process.env.GEMINI_API_KEY });

const interaction = await client.interactions.create({
  model: "gemini-3.5-flash",
  input: "Forget me.",
});
assert.equal((await client.interactions.get(interaction.id)).id, interaction.id);
await client.interactions.delete(interaction.id);
await assert.rejects(client.interactions.get(interaction.id), (error) => error.status === 404);
