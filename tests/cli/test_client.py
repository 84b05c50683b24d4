"""The HTTP client of the commands: JSON, streams, and everything that can go wrong on the way."""

import threading

import pytest

from interplay.cli.client import Api, ApiFault, Frame, StreamLost, Unreachable
from tests.cli.loopback import Canned, json_answer, sse_answer

EVENT = 'event: step.delta\ndata: {"event_type":"step.delta","event_id":"e1"}\n\n'
DONE = "event: done\ndata: [DONE]\n\n"


def test_a_call_sends_json_and_the_key_and_reads_json():
    with Canned(json_answer('{"id": "v1_x"}')) as server:
        answer = Api(server.url, "secret").call("POST", "interactions", body={"input": "ä"})
    assert answer == {"id": "v1_x"}
    (request,) = server.requests
    assert request.startswith("POST /v1/interactions HTTP/1.1\r\n")
    assert "x-goog-api-key: secret" in request
    assert request.endswith('{"input": "\\u00e4"}')


def test_query_values_are_escaped_and_none_is_left_out():
    with Canned(json_answer("{}")) as server:
        Api(server.url).get("interactions", {"label": "a:b c", "model": None})
    assert server.requests[0].startswith("GET /v1/interactions?label=a%3Ab+c HTTP/1.1")


@pytest.mark.parametrize("tail", ["", "/", "/v1", "/v1beta", "/v1/"])
def test_a_base_url_may_end_in_the_version_or_not(tail):
    with Canned(json_answer("{}")) as server:
        Api(server.url + tail).get("models")
    assert server.requests[0].startswith("GET /v1/models HTTP/1.1")


def test_a_base_url_may_have_a_path_and_no_scheme():
    with Canned(json_answer("{}")) as server:
        Api(server.url.removeprefix("http://") + "/gateway").get("models")
    assert server.requests[0].startswith("GET /gateway/v1/models HTTP/1.1")


@pytest.mark.parametrize("url", ["ftp://host", "http://", "http://host:99999", ""])
def test_what_is_no_url_is_refused(url):
    with pytest.raises(ValueError, match=r"URL|range"):
        Api(url)


def test_an_error_of_the_api_is_its_code_and_message():
    said = '{"error": {"code": "not_found", "message": "Result not found."}}'
    with Canned(json_answer(said, "404 Not Found")) as server, pytest.raises(ApiFault) as caught:
        Api(server.url).get("interactions/x")
    assert (caught.value.status, caught.value.code) == (404, "not_found")
    assert caught.value.message == "Result not found."


def test_an_error_that_is_no_json_names_its_status():
    answer = b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 6\r\n\r\n<html>"
    with Canned(answer) as server, pytest.raises(ApiFault, match="502 Bad Gateway"):
        Api(server.url).get("models")


def test_an_answer_that_is_no_json_is_another_server():
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>"
    with Canned(answer) as server, pytest.raises(Unreachable, match="does not speak"):
        Api(server.url).get("models")


def test_a_server_that_does_not_speak_http_is_unreachable():
    with Canned(b"220 smtp ready\r\n") as server, pytest.raises(Unreachable):
        Api(server.url).get("models")


def test_a_server_that_hangs_up_is_unreachable():
    with Canned(b"") as server, pytest.raises(Unreachable, match="hung up"):
        Api(server.url).get("models")


def test_a_call_is_bounded_in_time():
    with Canned(b"HTTP/1.1 200 OK\r\n") as server:
        server.hold = threading.Event()
        with pytest.raises(Unreachable, match="in time"):
            Api(server.url).call("GET", "models", seconds=0.1)
        server.hold.set()


def test_nobody_listening_is_unreachable():
    with pytest.raises(Unreachable, match=r"No server answers at http://127\.0\.0\.1:1\."):
        Api("http://127.0.0.1:1").get("models")


def test_a_stream_gives_events_and_comments_and_ends_at_done():
    with Canned(sse_answer(f": loading\n\n{EVENT}\r\n{DONE}data: beyond\n\n")) as server:
        frames = list(Api(server.url).stream("GET", "interactions/x"))
    event = {"event_type": "step.delta", "event_id": "e1"}
    assert frames == [Frame(comment="loading"), Frame(data=event)]


def test_data_on_several_lines_is_one_event():
    with Canned(sse_answer(f'data: {{"a":\ndata: 1}}\n\n{DONE}')) as server:
        assert list(Api(server.url).stream("GET", "x")) == [Frame(data={"a": 1})]


@pytest.mark.parametrize("torn", ["", "event: step", EVENT[:-1], EVENT[:30]])
def test_a_stream_that_ends_early_is_lost_after_what_it_told(torn):
    with Canned(sse_answer(EVENT + torn)) as server:
        stream = Api(server.url).stream("GET", "interactions/x")
        assert next(stream).data is not None
        with pytest.raises(StreamLost, match="ended before"):
            next(stream)


def test_a_chunk_that_is_cut_off_is_a_lost_stream():
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n"
    whole = EVENT.encode()
    body = b"%x\r\n%s\r\n" % (len(whole), whole)
    with Canned(head + b"\r\n" + body + b"ff\r\nevent: st") as server:
        stream = Api(server.url).stream("GET", "interactions/x")
        assert next(stream).data is not None
        with pytest.raises(StreamLost):
            next(stream)


def test_a_stream_that_falls_silent_is_lost():
    with Canned(sse_answer(EVENT)) as server:
        server.hold = threading.Event()
        stream = Api(server.url, silence_seconds=0.2).stream("GET", "interactions/x")
        assert next(stream).data is not None
        with pytest.raises(StreamLost, match="nothing for too long"):
            next(stream)
        server.hold.set()


def test_an_event_that_is_no_object_is_a_lost_stream():
    with Canned(sse_answer("data: nonsense\n\n")) as server, pytest.raises(StreamLost):
        list(Api(server.url).stream("GET", "x"))


def test_a_stream_that_is_refused_raises_the_fault():
    said = json_answer('{"error": {"code": "authentication", "message": "No."}}', "401 No")
    with Canned(said) as server, pytest.raises(ApiFault, match="No"):
        list(Api(server.url).stream("POST", "interactions", body={}))


def test_a_stream_that_is_json_is_another_server():
    with Canned(json_answer("{}")) as server, pytest.raises(Unreachable, match="does not speak"):
        list(Api(server.url).stream("GET", "x"))


def test_closing_a_stream_closes_its_connection(api):
    stream = api.stream("POST", "interactions", body={"model": "slow", "input": "a b c d"})
    with pytest.raises(Unreachable):
        next(stream)
    body = {"model": "slow", "input": "a b c d", "stream": True}
    stream = api.stream("POST", "interactions", body=body)
    next(stream)
    stream.close()
    with pytest.raises(StopIteration):
        next(stream)


def test_health_reads_what_is_not_below_v1(api):
    assert api.health("/health") == (200, b'{"status":"ok"}')
