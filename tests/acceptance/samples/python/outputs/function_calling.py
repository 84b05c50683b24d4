"""A function called by the model, answered by the client; also from a stream."""

from google import genai

client = genai.Client()
MODEL = "gemini-2.5-flash"


def get_weather(location: str) -> str:
    return f"The weather in {location} is sunny."


weather_tool = {
    "type": "function",
    "name": "get_weather",
    "description": "Gets the weather for a given location.",
    "parameters": {
        "type": "object",
        "properties": {"location": {"type": "string", "description": "The city, e.g. Paris"}},
        "required": ["location"],
    },
}

interaction = client.interactions.create(
    model=MODEL,
    input='call get_weather {"location": "Paris"}',
    tools=[weather_tool],
    generation_config={"thinking_level": "low"},
)
assert interaction.status == "requires_action"
assert [output.type for output in interaction.outputs] == ["thought", "function_call"]
for output in interaction.outputs:
    if output.type == "function_call":
        assert output.arguments == {"location": "Paris"}
        answer = client.interactions.create(
            model=MODEL,
            previous_interaction_id=interaction.id,
            tools=[weather_tool],
            input=[
                {
                    "type": "function_result",
                    "name": output.name,
                    "call_id": output.id,
                    "result": get_weather(**output.arguments),
                }
            ],
        )
        print(answer.outputs[-1].text)
        assert answer.outputs[-1].text == "get_weather: The weather in Paris is sunny."

        # The same without the server's memory: thought and call are sent back as they came.
        alone = client.interactions.create(
            model=MODEL,
            tools=[weather_tool],
            store=False,
            input=[
                {"role": "user", "content": "What is the weather in Paris?"},
                {"role": "model", "content": interaction.outputs},
                {
                    "role": "user",
                    "content": [
                        {"type": "function_result", "call_id": output.id, "result": ["sunny", 21]}
                    ],
                },
            ],
        )
        assert alone.outputs[-1].text.endswith(': ["sunny", 21]')

calls, names = [], []
for chunk in client.interactions.create(
    model=MODEL,
    input='call get_weather {"location": "Rome"}\ncall get_weather {"location": "Oslo"}',
    tools=[weather_tool],
    stream=True,
):
    names.append(chunk.event_type)
    if chunk.event_type == "content.delta" and chunk.delta.type == "function_call":
        assert chunk.index == len(calls)
        calls.append(chunk.delta)
    elif chunk.event_type == "interaction.complete":
        assert chunk.interaction.status == "requires_action"
        streamed = chunk.interaction
assert [call.arguments for call in calls] == [{"location": "Rome"}, {"location": "Oslo"}]
assert {call.name for call in calls} == {"get_weather"}
assert names.count("content.start") == names.count("content.stop") == 2

# The whole conversation again, kept by the client, with an object and a number as results.
turns = [
    {"role": "user", "content": "What is the weather in Rome and in Oslo?"},
    {"role": "model", "content": client.interactions.get(streamed.id).outputs},
    {
        "role": "user",
        "content": [
            {"type": "function_result", "call_id": calls[0].id, "result": {"celsius": 21}},
            {"type": "function_result", "call_id": calls[1].id, "result": 4},
        ],
    },
]
last = client.interactions.create(model=MODEL, input=turns, tools=[weather_tool])
assert last.status == "completed"
assert last.outputs[-1].text.endswith(": 4")
assert '{"celsius":21}' in last.outputs[-1].text
