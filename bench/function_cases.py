"""Labelled requests for function calling: what is asked, what is offered, what should be called."""

from __future__ import annotations

from typing import Any


def function(name: str, description: str, /, **properties: Any) -> dict[str, Any]:
    """A declaration; a property is its description, or a schema. All are required unless `_x`."""
    schema = {
        key.removeprefix("_"): value
        if isinstance(value, dict)
        else {"type": "string", "description": value}
        for key, value in properties.items()
    }
    required = [key for key in properties if not key.startswith("_")]
    return {
        "name": name,
        "description": description,
        "parameters": {"type": "object", "properties": schema, "required": required},
    }


NUMBER = {"type": "number"}
WHOLE = {"type": "integer"}

SETS: dict[str, list[dict[str, Any]]] = {
    "weather": [
        function("get_weather", "Get the current weather for a location", location="City name"),
    ],
    "travel": [
        function("get_weather", "Current weather in a city", city="City"),
        function("get_time", "Current local time in a city", city="City"),
        function(
            "find_flights",
            "Search flights between two cities",
            origin="City",
            destination="City",
            _date="Date, YYYY-MM-DD",
        ),
        function("convert_currency", "Convert money", amount=NUMBER, source="Code", target="Code"),
    ],
    "home": [
        function(
            "set_light",
            "Switch a light on or off",
            room="Room",
            state={"type": "string", "enum": ["on", "off"]},
        ),
        function("set_thermostat", "Set the room temperature", celsius=NUMBER),
        function("play_music", "Play a song, artist or genre", query="What to play"),
        function("set_timer", "Start a countdown timer", minutes=WHOLE),
    ],
    "shop": [
        function("search_products", "Search the product catalogue", query="Search words"),
        function("order_status", "Look up the status of an order", order_id="Order number"),
        function(
            "refund_order", "Refund an order", order_id="Order number", _reason="Why it is refunded"
        ),
        function("open_ticket", "Hand the customer over to a human agent", summary="The problem"),
    ],
    "code": [
        function("read_file", "Read a file of the project", path="File path"),
        function("write_file", "Create or replace a file", path="File path", content="New content"),
        function("run_command", "Run a shell command", command="Command line"),
        function("google_search", "Search the web", query="Search words"),
    ],
    "office": [
        function("send_email", "Send an email", to="Address", subject="Subject", body="Text"),
        function("create_event", "Add an event to the calendar", title="Title", start="When"),
        function("list_events", "List calendar events of a day", day="Day"),
        function("find_contact", "Look up a person's phone and email", name="Name"),
    ],
}

Case = tuple[str, list[tuple[str, str]], list[tuple[str, dict[str, Any]]]]


def ask(tools: str, text: str, *calls: tuple[str, dict[str, Any]]) -> Case:
    """One user request."""
    return tools, [("user", text)], list(calls)


CASES: list[Case] = [
    ask("weather", "What's the weather like in Paris?", ("get_weather", {"location": "Paris"})),
    ask(
        "weather", "Do I need an umbrella in London today?", ("get_weather", {"location": "London"})
    ),
    ask("weather", "Is it hot in Cairo right now?", ("get_weather", {"location": "Cairo"})),
    ask("weather", "Hello! How are you?"),
    ask("weather", "What is the capital of Spain?"),
    ask("weather", "Write a two-line poem about the sea."),
    ask("weather", "Thanks, that was helpful."),
    ask("weather", "What is 17 + 25?"),
    ask(
        "weather",
        "Compare the weather in Rome and Madrid.",
        ("get_weather", {"location": "Rome"}),
        ("get_weather", {"location": "Madrid"}),
    ),
    ask("travel", "What time is it in Tokyo?", ("get_time", {"city": "Tokyo"})),
    ask("travel", "How's the weather in Lima?", ("get_weather", {"city": "Lima"})),
    ask(
        "travel",
        "Find me a flight from Berlin to Lisbon",
        ("find_flights", {"origin": "Berlin", "destination": "Lisbon"}),
    ),
    ask(
        "travel",
        "How much is 250 US dollars in euros?",
        ("convert_currency", {"amount": 250, "source": "USD", "target": "EUR"}),
    ),
    ask("travel", "Who painted the Mona Lisa?"),
    ask("travel", "Tell me a joke."),
    ask("travel", "Hi there"),
    ask("travel", "Translate 'good morning' into French."),
    ask("travel", "Will it rain in Oslo?", ("get_weather", {"city": "Oslo"})),
    ask("home", "Turn on the kitchen light", ("set_light", {"room": "kitchen", "state": "on"})),
    ask("home", "It's too dark in the bedroom", ("set_light", {"room": "bedroom", "state": "on"})),
    ask("home", "Make it 21 degrees in here", ("set_thermostat", {"celsius": 21})),
    ask("home", "Play some jazz", ("play_music", {"query": "jazz"})),
    ask("home", "Remind me in 10 minutes", ("set_timer", {"minutes": 10})),
    ask("home", "Good night!"),
    ask("home", "How does a thermostat work?"),
    ask("home", "What's your name?"),
    ask("shop", "Where is my order 88123?", ("order_status", {"order_id": "88123"})),
    ask("shop", "I want my money back for order A-17.", ("refund_order", {"order_id": "A-17"})),
    ask("shop", "Do you sell waterproof hiking boots?", ("search_products", {"query": "boots"})),
    ask("shop", "Let me talk to a real person!", ("open_ticket", {})),
    ask("shop", "Thank you, bye."),
    ask("shop", "What does 'refund' mean?"),
    ask("code", "Show me what's in setup.py", ("read_file", {"path": "setup.py"})),
    ask("code", "List the files in the current directory", ("run_command", {"command": "ls"})),
    ask("code", "Run the tests with pytest", ("run_command", {"command": "pytest"})),
    ask(
        "code",
        "Search the web for the latest Python release",
        ("google_search", {"query": "Python"}),
    ),
    ask(
        "code",
        "Create a file hello.txt that says hi",
        ("write_file", {"path": "hello.txt", "content": "hi"}),
    ),
    ask("code", "Explain what a Python decorator is."),
    ask("code", "Write a function that checks whether a number is prime."),
    ask("code", "What's the difference between a list and a tuple?"),
    ask("office", "What's on my calendar tomorrow?", ("list_events", {"day": "tomorrow"})),
    ask("office", "What is Maria Lopez's phone number?", ("find_contact", {"name": "Maria Lopez"})),
    ask(
        "office",
        "Email bob@example.com that the meeting is cancelled",
        ("send_email", {"to": "bob@example.com"}),
    ),
    ask(
        "office",
        "Put a dentist appointment on Friday at 3pm",
        ("create_event", {"title": "dentist"}),
    ),
    ask("office", "Give me three tips for better meetings."),
    ask("office", "Hey, what can you do?"),
    (
        "weather",
        [
            ("user", "What's the weather in Paris?"),
            ("call", 'get_weather {"location": "Paris"}'),
            ("result", '{"temperature_c": 18, "sky": "cloudy"}'),
        ],
        [],
    ),
    (
        "weather",
        [
            ("user", "What's the weather in Paris?"),
            ("call", 'get_weather {"location": "Paris"}'),
            ("result", '{"temperature_c": 18, "sky": "cloudy"}'),
            ("model", "It is cloudy and 18 degrees in Paris."),
            ("user", "And in Berlin?"),
        ],
        [("get_weather", {"location": "Berlin"})],
    ),
    (
        "travel",
        [
            ("user", "What's the weather in Rome and what time is it there?"),
            ("call", 'get_weather {"city": "Rome"}'),
            ("result", '{"temperature_c": 25, "sky": "sunny"}'),
        ],
        [("get_time", {"city": "Rome"})],
    ),
    (
        "shop",
        [
            ("user", "Where is my order 88123?"),
            ("call", 'order_status {"order_id": "88123"}'),
            ("result", '{"status": "lost"}'),
            ("model", "I am sorry, order 88123 is lost."),
            ("user", "Then refund it please."),
        ],
        [("refund_order", {"order_id": "88123"})],
    ),
    (
        "home",
        [
            ("user", "Switch off the hall light"),
            ("call", 'set_light {"room": "hall", "state": "off"}'),
            ("result", "done"),
        ],
        [],
    ),
    (
        "office",
        [
            ("user", "My name is Alex and I live in Oslo."),
            ("model", "Nice to meet you, Alex!"),
            ("user", "Where do I live?"),
        ],
        [],
    ),
]

# The prompt was tuned on CASES and never looked at against these.
HELD_OUT: list[Case] = [
    ask("weather", "Should I wear a coat in Helsinki?", ("get_weather", {"location": "Helsinki"})),
    ask("weather", "How many continents are there?"),
    ask("weather", "You are great!"),
    ask("weather", "Why is the sky blue?"),
    ask("travel", "Is it already midnight in Sydney?", ("get_time", {"city": "Sydney"})),
    ask(
        "travel",
        "I need to get from Rome to Vienna by plane",
        ("find_flights", {"origin": "Rome", "destination": "Vienna"}),
    ),
    ask("travel", "What language do they speak in Brazil?"),
    ask("travel", "Recommend a book to read on a plane."),
    ask("home", "I'm cold, set it to 23", ("set_thermostat", {"celsius": 23})),
    ask(
        "home",
        "Lights off in the bathroom please",
        ("set_light", {"room": "bathroom", "state": "off"}),
    ),
    ask("home", "Put on something by Mozart", ("play_music", {"query": "Mozart"})),
    ask("home", "Who was Mozart?"),
    ask("home", "Thanks, you're the best"),
    ask("shop", "Has order 5512 been shipped yet?", ("order_status", {"order_id": "5512"})),
    ask("shop", "I'm looking for a red lamp", ("search_products", {"query": "lamp"})),
    ask("shop", "Good afternoon"),
    ask("code", "What does main.py contain?", ("read_file", {"path": "main.py"})),
    ask("code", "Install numpy with pip", ("run_command", {"command": "pip install numpy"})),
    ask("code", "What is a closure in JavaScript?"),
    ask("code", "Convert 255 to hexadecimal."),
    ask("office", "How do I reach Tom Baker?", ("find_contact", {"name": "Tom Baker"})),
    ask("office", "What do I have planned on Monday?", ("list_events", {"day": "Monday"})),
    ask("office", "What makes a good presentation?"),
    ask("office", "Say hello in Japanese."),
]
