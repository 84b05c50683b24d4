"""What result steps show models through their signatures."""

from base64 import b64decode, b64encode

import pytest

from interplay.contracts import shown
from interplay.wire.content import FileCitation, ImageContent, TextContent, URLCitation

TEXT = TextContent("Größe: 5 m")
IMAGE = ImageContent(data="iVBORw0KGgo=", mime_type="image/png")


def test_what_is_signed_is_read_again():
    assert shown.read(shown.sign([TEXT, IMAGE]), images=True) == [TEXT, IMAGE]


def test_a_model_without_eyes_is_told_of_an_image():
    told = shown.read(shown.sign([TEXT, IMAGE]), images=False)
    assert told == [TEXT, TextContent("[An image (image/png) that you cannot see.]")]


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "not base64!",
        "EoUC",
        b64encode(b'{"origin": "x", "text": "y"}').decode(),
        b64encode(b'{"shown": [{"type": "video"}]}').decode(),
        b64encode("ä".encode("latin-1")).decode(),
    ],
)
def test_a_signature_of_another_kind_shows_nothing(signature: str | None):
    assert shown.read(signature, images=True) is None


def test_sources_travel_with_their_numbers():
    sources = {3: URLCitation(title="T", url="https://a/"), 12: FileCitation(file_name="a.pdf")}
    signature = shown.sign([TEXT], sources)
    assert shown.sources(signature) == sources
    assert shown.read(signature, images=True) == [TEXT]
    assert shown.sources(shown.sign([TEXT])) == shown.sources(None) == shown.sources("EoUC") == {}


def test_a_signature_without_sources_is_as_short_as_before():
    assert b"sources" not in b64decode(shown.sign([TEXT]))
