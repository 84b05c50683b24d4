"""Steps and contents as lines for a person."""

import io

from interplay.cli.steps import citation_line, content_line, size, step_lines, tool_line
from interplay.cli.terminal import Paint

PLAIN = Paint(io.StringIO())


def lines(step, **options):
    return list(step_lines(step, PLAIN, **options))


def test_text_is_shown_indented_with_its_sources_below():
    mark = {"type": "url_citation", "url": "http://a", "title": "A"}
    block = {"type": "text", "text": "one\n\ntwo", "annotations": [mark, mark]}
    step = {"type": "model_output", "content": [block]}
    assert lines(step) == ["model_output", "  one", "", "  two", "  [1] A: http://a"]


def test_media_are_a_note_of_kind_and_size():
    assert content_line({"type": "image", "mime_type": "image/png", "data": "AAAA"}) == (
        "[image image/png 3 B]"
    )
    assert content_line({"type": "video", "uri": "http://v"}) == "[video http://v]"


def test_sizes_are_in_the_unit_a_person_uses():
    assert [size(n) for n in (5, 5_400, 5_400_000, 5_400_000_000)] == [
        "5 B",
        "5 kB",
        "5 MB",
        "5.4 GB",
    ]


def test_calls_and_results_are_one_line_each():
    call = {"type": "function_call", "name": "f", "arguments": {"x": 1, "y": "é"}}
    assert lines(call) == ["function_call", '  f(x=1, y="é")']
    result = {"type": "function_result", "name": "f", "result": {"ok": True}, "is_error": True}
    assert lines(result) == ["function_result", '  f -> failed: {"ok": true}']


def test_a_long_line_is_cut_to_the_terminal_unless_all_is_wanted(monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    step = {"type": "code_execution_result", "result": "x" * 100}
    assert max(map(len, lines(step))) == 30
    assert lines(step, full=True)[1].count("x") > 99


def test_thoughts_and_failed_outputs_are_shown():
    assert lines({"type": "thought", "summary": [{"type": "text", "text": "hm"}]}) == [
        "thought",
        "  hm",
    ]
    assert lines({"type": "model_output", "error": {"message": "no"}}) == ["model_output", "  no"]


def test_a_step_nobody_knows_is_shown_by_its_type():
    assert lines({"type": "dream_call", "arguments": {"of": "sheep"}}) == [
        "dream_call",
        '  dream_call of="sheep"',
    ]


def test_tool_lines_hold_no_line_breaks():
    facts = {"arguments": {"code": "a\nb"}, "result": "x\ny"}
    assert "\n" not in tool_line("code_execution_call", facts, 80)


def test_citations_without_a_place_are_left_out():
    assert citation_line({"type": "word_info", "text": "x"}) is None
    assert citation_line({"document_uri": "gs://d"}) == "gs://d"
