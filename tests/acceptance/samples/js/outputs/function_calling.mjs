// A function called by the model, answered by the client; also from a stream.
import assert from "node:assert/strict";
import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({ apiKey: process.env.GEMINI_API_KEY });
const model = "gemini-2.5-flash";
const tools = [
  {
    type: "function",
    name: "get_weather",
    description: "Gets the weather for a given location.",
    parameters: {
      type: "object",
      properties: { location: { type: "string" } },
      required: ["location"],
    },
  },
];

const interaction = await client.interactions.create({
  model,
  input: 'call get_weather {"location": "Paris"}',
  tools,
});
assert.equal(interaction.status, "requires_action");
const call = interaction.outputs.find((output) => output.type === "function_call");
assert.deepEqual(call.arguments, { location: "Paris" });

const answer = await client.interactions.create({
  model,
  previous_interaction_id: interaction.id,
  tools,
  input: [
    { type: "function_result", name: call.name, call_id: call.id, result: "It is sunny in Paris." },
  ],
});
console.log(answer.outputs.at(-1).text);
assert.equal(answer.outputs.at(-1).text, "get_weather: It is sunny in Paris.");

const calls = [];
const stream = await client.interactions.create({
  model,
  input: 'call get_weather {"location": "Rome"}\ncall get_weather {"location": "Oslo"}',
  tools,
  stream: true,
});
for await (const chunk of stream) {
  if (chunk.event_type === "content.delta" && chunk.delta.type === "function_call") {
    assert.equal(chunk.index, calls.length);
    calls.push(chunk.delta);
  }
}
assert.deepEqual(
  calls.map(({ name, arguments: given }) => [name, given.location]),
  [
    ["get_weather", "Rome"],
    ["get_weather", "Oslo"],
  ],
);
