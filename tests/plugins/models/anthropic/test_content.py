"""Images and documents in every form the API has for them."""

from base64 import b64encode
from typing import Any

import pytest

from interplay.contracts.failure import Refused
from interplay.plugins.models.anthropic.content import Blocks
from interplay.testing.contracts.model import DOT
from interplay.wire.content import AudioContent, DocumentContent, ImageContent
from interplay.wire.tools import Function

INPUTS: Any = frozenset({"text", "image", "document"})
ALL = Blocks(INPUTS, "m")


def source(block: Any) -> Any:
    (part,) = ALL.parts([block], "Step 1")
    return part["source"]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (ImageContent(data=DOT), {"type": "base64", "media_type": "image/png", "data": DOT}),
        (
            ImageContent(data="AAAA", mime_type="image/jpg"),
            {"type": "base64", "media_type": "image/jpeg", "data": "AAAA"},
        ),
        (ImageContent(uri="https://x/a.png"), {"type": "url", "url": "https://x/a.png"}),
        (
            ImageContent(uri="data:image/gif;base64,AAAA"),
            {"type": "base64", "media_type": "image/gif", "data": "AAAA"},
        ),
        (
            DocumentContent(data="JVBERi0="),
            {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
        ),
        (DocumentContent(uri="https://x/a.pdf"), {"type": "url", "url": "https://x/a.pdf"}),
        (
            DocumentContent(data=b64encode("é".encode()).decode(), mime_type="text/csv; a=b"),
            {"type": "text", "media_type": "text/plain", "data": "é"},
        ),
    ],
)
def test_each_form_has_its_source(block: Any, expected: Any):
    assert source(block) == expected


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (ImageContent(data="AAAA", mime_type="image/tiff"), "image/tiff"),
        (ImageContent(uri="gs://bucket/a.png"), "gs://bucket"),
        (DocumentContent(data="AAAA", mime_type="application/msword"), "application/msword"),
        (DocumentContent(data="/////w==", mime_type="text/plain"), "no UTF-8"),
        (AudioContent(data="AAAA"), "takes document, image, text only"),
    ],
)
def test_what_the_api_does_not_take_is_refused_by_name(block: Any, words: str):
    with pytest.raises(Refused, match="Step 1") as refused:
        source(block)
    assert words in refused.value.message


def test_declarations_are_shown_as_json():
    (part,) = ALL.parts([Function(name="f")], "Step 1")
    assert '"name":"f"' in part["text"]
