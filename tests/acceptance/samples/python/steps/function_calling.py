"""Functions called by the model, answered by the client; also from a stream."""

import json

from google import genai

client = genai.Client()
MODEL = "gemini-3.5-flash"


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
    generation_config={"thinking_level": "low", "tool_choice": "auto"},
)
assert interaction.status == "requires_action"
assert [step.type for step in interaction.steps] == ["thought", "function_call"]
for step in interaction.steps:
    if step.type == "function_call":
        assert step.arguments == {"location": "Paris"}
        answer = client.interactions.create(
            model=MODEL,
            previous_interaction_id=interaction.id,
            tools=[weather_tool],
            input=[
                {
                    "type": "function_result",
                    "name": step.name,
                    "call_id": step.id,
                    "result": [{"type": "text", "text": get_weather(**step.arguments)}],
                }
            ],
        )
        print(answer.steps[-1].content[0].text)
        assert "The weather in Paris is sunny." in answer.steps[-1].content[0].text

calls, fragments = [], {}
for event in client.interactions.create(
    model=MODEL,
    input='call get_weather {"location": "Rome"}\ncall get_weather {"location": "Oslo"}',
    tools=[weather_tool],
    stream=True,
):
    if event.event_type == "step.start" and event.step.type == "function_call":
        calls.append(event.step)
        fragments[event.index] = ""
    elif event.event_type == "step.delta" and event.delta.type == "arguments_delta":
        fragments[event.index] += event.delta.arguments
    elif event.event_type == "interaction.completed":
        assert event.interaction.status == "requires_action"
        streamed = event.interaction
places = [json.loads(text) for text in fragments.values()]
assert places == [{"location": "Rome"}, {"location": "Oslo"}]
assert {call.name for call in calls} == {"get_weather"}

both = client.interactions.create(
    model=MODEL,
    previous_interaction_id=streamed.id,
    tools=[weather_tool],
    input=[
        {"type": "function_result", "call_id": calls[0].id, "result": {"celsius": 21}},
        {"type": "function_result", "call_id": calls[1].id, "result": "4 degrees"},
    ],
)
assert both.status == "completed"
assert '{"celsius":21}' in both.steps[-1].content[0].text
assert both.steps[-1].content[0].text.endswith("4 degrees")
