"""What result steps show models through their signatures."""

from base64 import b64encode

import pytest

from interplay.contracts import shown
from interplay.wire.content import ImageContent, TextContent

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
