"""Bodies that are not JSON: each is told what is wrong and where."""

from __future__ import annotations

import json
import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interplay.wire.malformed import explain_bytes


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "The body is empty; send a JSON object."),
        (b" \n ", "The body is empty; send a JSON object."),
        (b"\xef\xbb\xbf{}", "The body starts with a byte order mark; send plain UTF-8."),
        (
            b'{"a":"\xff"}',
            "The body is not UTF-8: invalid start byte at line 1, column 7 (byte 6).",
        ),
        (
            b'{"a":1,\n "b":2,}',
            "The body is not JSON: trailing comma in object at line 2, column 8 (byte 15).",
        ),
        (
            '{"ä":1,\n "ö" 2}'.encode(),
            "The body is not JSON: expected ':' at line 2, column 6 (byte 15).",
        ),
        (b'{"a":', "The body is not JSON: it ends too early at line 1, column 6 (byte 5)."),
        (
            b'{"a":"\\ud800"}',
            "The body is not JSON: half of a surrogate pair stands alone in a string"
            " at line 1, column 7 (byte 6).",
        ),
        (
            b'{"a":"\\udc00 and much more text"}',
            "The body is not JSON: half of a surrogate pair stands alone in a string"
            " at line 1, column 7 (byte 6).",
        ),
        (
            b"[" * 100_000,
            "The body is nested too deeply: level 257 opens at line 1, column 257 (byte 256).",
        ),
        (b'{"a":1e999}', "Number out of range."),
    ],
)
def test_a_malformed_body_is_told_what_and_where(raw: bytes, message: str):
    fault = explain_bytes(raw)
    assert fault.message == message
    assert (fault.path, fault.code) == ("", "invalid_request")


def test_brackets_inside_strings_are_not_depth():
    raw = b'{"a":"' + b"[" * 1_000 + b'","b":' + b'{"c":' * 50_000
    assert "level 257" in explain_bytes(raw).message
    assert "(byte 2287)" in explain_bytes(raw).message


def test_a_hostile_body_is_explained_in_bounded_time():
    hostile = [
        b"[" * 300 + b'["' + b'\\"' * 500_000,
        b"[[]," * 250_000 + b"[" * 200_000,
        b'"' + b"\\u" * 500_000,
    ]
    start = time.process_time()
    for raw in hostile:
        explain_bytes(raw)
    assert time.process_time() - start < 10


@settings(max_examples=300, deadline=None, derandomize=True)
@given(raw=st.binary(max_size=40), at=st.integers(0, 60))
def test_no_bytes_make_it_raise(raw: bytes, at: int):
    whole = json.dumps({"input": [{"type": "text", "text": "hé\n"}], "stream": True}).encode()
    for body in (raw, whole[:at] + raw, whole[:at] + raw + whole[at:]):
        try:
            msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            assert explain_bytes(body).message
