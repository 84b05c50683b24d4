"""How a stream is told: text here, everything else there, and nothing that steers a terminal."""

import io
import json

from interplay.cli.narration import EventLines, Narration


class Screen(io.StringIO):
    """An output that says it is a terminal."""

    def isatty(self):
        return True


def start(index, **step):
    return {"event_type": "step.start", "index": index, "step": step}


def delta(index, **fields):
    return {"event_type": "step.delta", "index": index, "delta": fields}


def stop(index):
    return {"event_type": "step.stop", "index": index}


OUTPUT = [start(0, type="model_output"), delta(0, type="text", text="hello"), stop(0)]
CALL = [
    start(1, type="function_call", id="c1", name="weather", arguments={}),
    delta(1, type="arguments_delta", arguments='{"city": "Paris"}'),
    stop(1),
]


def tell(events, out=None, aside=None, **options):
    out, aside = out or io.StringIO(), aside or io.StringIO()
    narration = Narration(out, aside, **options)
    for event in events:
        narration.event(event)
    narration.finish()
    return out.getvalue(), aside.getvalue()


def test_text_goes_to_one_stream_and_tools_to_the_other():
    assert tell([*OUTPUT, *CALL]) == ("hello\n", '· weather(city="Paris")\n')


def test_a_line_between_texts_of_one_step_does_not_break_a_pipe():
    events = [*OUTPUT[:2], {"event_type": "error", "error": {"code": "c", "message": "m"}}]
    assert tell([*events, delta(0, type="text", text=" world")]) == ("hello world\n", "m [c]\n")


def test_on_one_screen_a_line_beside_the_text_ends_its_line_first():
    screen = io.StringIO()
    tell([*OUTPUT, *CALL], screen, screen)
    assert screen.getvalue() == 'hello\n· weather(city="Paris")\n'


def test_outputs_of_several_steps_stand_on_lines_of_their_own():
    second = [start(2, type="model_output"), delta(2, type="text", text="world\n")]
    assert tell([*OUTPUT, *CALL, *second])[0] == "hello\nworld\n"


def test_thoughts_are_told_when_they_are_wanted():
    summary = {"type": "text", "text": "hm"}
    events = [start(0, type="thought"), delta(0, type="thought_summary", content=summary), stop(0)]
    assert tell(events, thoughts=True) == ("", "hm\n")
    assert tell(events) == ("", "")


def test_tools_of_the_server_are_told_with_what_they_were_asked():
    arguments = {"queries": ["tides"]}
    events = [
        start(0, type="google_search_call", id="s1"),
        delta(0, type="google_search_call", arguments=arguments),
        stop(0),
        start(1, type="code_execution_result", call_id="x"),
        delta(1, type="code_execution_result", result="4", is_error=False),
    ]
    told = tell(events)[1].splitlines()
    assert told == ['· google_search_call queries=["tides"]', "· code_execution_result result=4"]
    assert tell(events, tools=False) == ("", "")


def test_media_and_sources_are_told_by_what_they_are():
    events = [
        *OUTPUT[:2],
        delta(0, type="image", mime_type="image/png", data="A" * 4000),
        delta(0, type="text_annotation_delta", annotations=[{"url": "http://a"}, {"url": "http://a"}]),
    ]  # fmt: skip
    assert tell(events)[1] == "[image image/png 3 kB]\n[1] http://a\n"


def test_replayed_input_is_told_as_a_quote():
    block = {"type": "text", "text": "asked"}
    assert tell([start(0, type="user_input", content=[block])])[1] == "> asked\n"


def test_a_terminal_is_not_steered_by_what_a_model_writes():
    evil = [start(0, type="model_output"), delta(0, type="text", text="\x1b[2Jx\x07")]
    assert tell(evil, Screen(), Screen())[0] == "\\x1b[2Jx\\x07\n"
    assert tell(evil)[0] == "\x1b[2Jx\x07\n"


def test_comments_are_shown_on_a_terminal_until_something_comes(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    screen = Screen()
    narration = Narration(screen, screen)
    narration.comment("keep-alive")
    assert screen.getvalue() == ""
    narration.comment("loading qwen")
    assert screen.getvalue() == "\r\x1b[K… loading qwen"
    narration.event(OUTPUT[0])
    assert screen.getvalue().endswith("\r\x1b[K")
    narration.event(OUTPUT[1])
    narration.comment("loading qwen")
    assert screen.getvalue().endswith("hello")


def test_comments_stay_out_of_pipes():
    aside = io.StringIO()
    Narration(io.StringIO(), aside).comment("loading")
    assert aside.getvalue() == ""


def test_event_lines_are_the_events_as_they_came():
    out = io.StringIO()
    lines = EventLines(out, io.StringIO())
    for event in OUTPUT:
        lines.event(event)
    lines.finish()
    assert [json.loads(line) for line in out.getvalue().splitlines()] == OUTPUT
    assert lines.reading.text == "hello"
