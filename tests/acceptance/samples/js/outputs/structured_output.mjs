// A bare JSON schema beside response_mime_type.
import assert from "node:assert/strict";
import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({ apiKey: process.env.GEMINI_API_KEY });

const interaction = await client.interactions.create({
  model: "gemini-2.5-flash",
  input: "Moderate the following content: 'Congratulations! You have won a cruise.'",
  response_format: {
    type: "object",
    properties: { reason: { type: "string" }, spam: { type: "boolean" } },
    required: ["reason", "spam"],
  },
  response_mime_type: "application/json",
});
const parsed = JSON.parse(interaction.outputs.at(-1).text);
console.log(parsed);
assert.deepEqual(Object.keys(parsed).sort(), ["reason", "spam"]);
assert.equal(typeof parsed.spam, "boolean");
