"""Bytes become the payloads of events."""

from tests.plugins.models.openai_compatible.upstream import (
    STOP,
    Upstream,
    ask,
    failure,
    model,
    stream,
    text,
)


async def test_carriage_returns_comments_and_other_fields_are_passed_over(server: Upstream):
    body = b"\xef\xbb\xbf: hello\n\nevent: message\nid: 7\nretry: 10\n" + text("one") + STOP
    server.will(stream(body.replace(b"\n", b"\r\n")))
    async with model(server) as made:
        assert (await ask(made)).text == "one"


async def test_events_without_blank_lines_between_them_are_read(server: Upstream):
    server.will(stream((text("one") + text(" two") + STOP).replace(b"\n\n", b"\n")))
    async with model(server) as made:
        assert (await ask(made)).text == "one two"


async def test_an_error_line_outside_of_events_is_told(server: Upstream):
    line = b'error: {"code": 500, "message": "slot failed"}\n\n'
    fault = await failure(server, stream(line))
    assert "slot failed" in fault.message


async def test_a_line_without_end_is_cut_off_at_the_limit(server: Upstream):
    fault = await failure(server, stream(b"data: " + b"x" * 5000), max_line_bytes=1000)
    assert "max_line_bytes" in fault.message
