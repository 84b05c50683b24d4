"""What is known after some events of a stream."""

from interplay.cli.reading import Call, Reading, fault_line


def read(*events):
    reading = Reading()
    for event in events:
        reading.take(event)
    return reading


def start(index, **step):
    return {"event_type": "step.start", "index": index, "step": step}


def delta(index, **fields):
    return {"event_type": "step.delta", "index": index, "delta": fields}


def test_text_is_that_of_all_outputs_in_order():
    reading = read(
        start(0, type="thought"),
        delta(0, type="thought_summary", content={"type": "text", "text": "hm"}),
        start(1, type="model_output"),
        delta(1, type="text", text="a"),
        delta(1, type="text", text="b"),
        start(2, type="model_output"),
        delta(2, type="text", text="c"),
    )
    assert (reading.text, reading.written(0), reading.kind(0)) == ("abc", "hm", "thought")


def test_a_step_that_starts_again_replaces_what_it_was():
    reading = read(
        start(0, type="model_output"),
        delta(0, type="text", text="lost"),
        start(0, type="model_output"),
        delta(0, type="text", text="kept"),
    )
    assert reading.text == "kept"


def test_calls_are_those_without_a_result():
    reading = read(
        start(0, type="function_call", id="a", name="f", arguments={}),
        delta(0, type="arguments_delta", arguments='{"x": '),
        delta(0, type="arguments_delta", arguments="1}"),
        start(1, type="function_call", id="b", name="g", arguments={"y": 2}),
        start(2, type="function_call", id="c", name="h", arguments={}),
        start(3, type="function_result", call_id="c"),
    )
    assert reading.calls == [Call("a", "f", {"x": 1}), Call("b", "g", {"y": 2})]


def test_arguments_that_are_no_json_are_shown_as_they_came():
    reading = read(
        start(0, type="function_call", id="a", name="f"),
        delta(0, type="arguments_delta", arguments="{torn"),
    )
    assert reading.calls == [Call("a", "f", {"": "{torn"})]


def test_status_id_usage_and_the_last_event_id_are_kept():
    reading = read(
        {"event_type": "interaction.created", "event_id": "e0", "interaction": {"id": "i"}},
        {"event_type": "interaction.status_update", "event_id": "e1", "status": "in_progress"},
    )
    assert (reading.id, reading.status, reading.ended) == ("i", "in_progress", False)
    done = {"id": "i", "status": "completed", "model": "m", "usage": {"total_tokens": 3}}
    reading.take({"event_type": "interaction.completed", "interaction": done})
    assert (reading.status, reading.ended, reading.last_event_id) == ("completed", True, "e1")
    assert (reading.model, reading.usage) == ("m", {"total_tokens": 3})


def test_faults_are_kept_and_empty_error_events_are_noise():
    reading = read(
        {"event_type": "error", "error": {"code": "c", "message": "m"}},
        {"event_type": "error", "error": {}},
        {"event_type": "error"},
    )
    assert reading.faults == ["m [c]"]


def test_unknown_and_malformed_events_are_passed_over():
    reading = read({"event_type": "step.shimmer"}, {}, {"event_type": "step.delta", "delta": [1]})
    assert (reading.id, reading.text, reading.calls) == (None, "", [])


def test_a_fault_needs_neither_code_nor_message():
    assert fault_line({"code": "c"}) == "c"
    assert fault_line({"message": "m"}) == "m"
    assert fault_line({}) == ""
