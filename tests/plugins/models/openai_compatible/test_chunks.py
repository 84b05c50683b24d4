"""Chunks are decoded with the fields of their dialect."""

import msgspec
import pytest

from interplay.plugins.models.openai_compatible.chunks import chunk_format


def test_fields_of_any_name_hold_thoughts():
    format = chunk_format(["inner voice", "reasoning"])
    chunk = format.decoder.decode(b'{"choices":[{"delta":{"inner voice":"hm","reasoning":"x"}}]}')
    delta = (chunk.choices or [])[0].delta
    assert [getattr(delta, name) for name in format.thoughts] == ["hm", "x"]


def test_unknown_fields_are_passed_over_and_wrong_shapes_are_not():
    decode = chunk_format(["reasoning"]).decoder.decode
    assert decode(b'{"choices":[{"new":1,"delta":{"new":2}}],"timings":{}}').choices
    with pytest.raises(msgspec.ValidationError):
        decode(b'{"choices":[{"delta":{"content":5}}]}')


def test_counts_may_be_written_as_floats():
    chunk = chunk_format(()).decoder.decode(b'{"usage":{"prompt_tokens":3.0}}')
    assert chunk.usage is not None
    assert chunk.usage.prompt_tokens == 3
