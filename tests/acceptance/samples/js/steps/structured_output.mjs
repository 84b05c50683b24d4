// JSON by a schema.
import assert from "node:assert/strict";
import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({ apiKey: process.env.GEMINI_API_KEY });

const interaction = await client.interactions.create({
  model: "gemini-3.5-flash",
  input: "Moderate the following content: 'Congratulations! You have won a cruise.'",
  response_format: {
    type: "text",
    mime_type: "application/json",
    schema: {
      type: "object",
      properties: { reason: { type: "string" }, spam: { type: "boolean" } },
      required: ["reason", "spam"],
    },
  },
});
const parsed = JSON.parse(interaction.steps.at(-1).content[0].text);
console.log(parsed);
assert.deepEqual(Object.keys(parsed).sort(), ["reason", "spam"]);
assert.equal(typeof parsed.spam, "boolean");
