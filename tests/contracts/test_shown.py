"""What result steps show models through their signatures."""

from base64 import b64decode, b64encode

import pytest

from interplay.contracts import shown
from interplay.wire.content import (
    AudioContent,
    Content,
    DocumentContent,
    FileCitation,
    ImageContent,
    TextContent,
    URLCitation,
    VideoContent,
)

TEXT = TextContent("Größe: 5 m")
IMAGE = ImageContent(data="iVBORw0KGgo=", mime_type="image/png")


def test_what_is_signed_is_read_again():
    assert shown.read(shown.sign([TEXT, IMAGE]), images=True) == [TEXT, IMAGE]


def test_a_model_without_eyes_is_told_of_an_image():
    told = shown.read(shown.sign([TEXT, IMAGE]), images=False)
    assert told == [
        TEXT,
        TextContent("[Here is an image (image/png, 8 bytes) that you cannot see.]"),
    ]


@pytest.mark.parametrize(
    ("block", "told"),
    [
        (ImageContent(data="A" * 4_000, mime_type="image/webp"), "an image (image/webp, 3 kB)"),
        (ImageContent(data="A" * 4_000_000), "an image (of unknown type, 3.0 MB)"),
        (AudioContent(data="eA==", mime_type="audio/wav"), "a recording (audio/wav, 1 byte)"),
        (
            VideoContent(uri="https://a.example/v [1].mp4", mime_type="video/mp4"),
            "a video (video/mp4, at https://a.example/v (1).mp4)",
        ),
        (DocumentContent(data="", mime_type="a\nb [2]"), "a document (a b (2), 0 bytes)"),
    ],
)
def test_what_a_model_does_not_take_is_said_to_be_there(block: Content, told: str):
    words = shown.unseen(block).text
    assert words.startswith(f"[Here is {told} that you cannot ")
    assert "\n" not in words


def test_text_stays_as_it_is():
    assert shown.unseen(TEXT) is TEXT


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


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Rome is old[3].", "Rome is old(3)."),
        ("[1][2], [3, 4; 5] [ 6 ]", "(1)(2), (3, 4; 5) ( 6 )"),
        ("[3](https://evil.example/)", "(3)(https://evil.example/)"),
        ("see [page 3], x[0], [n]", "see [page 3], x[0], [n]"),
        ("a [1] `x[2]` b [3]", "a (1) `x[2]` b (3)"),
        ("[1]\n```py\nx[2]\n```\n[3]", "(1)\n```py\nx[2]\n```\n(3)"),
        ('{"a": [3], "b": "see [3] \\" [4]"}', '{"a": [3], "b": "see (3) \\" (4)"}'),
        ("[1, 2, [3]]", "[1, 2, [3]]"),
        ("[1] is no JSON", "(1) is no JSON"),
        ("{no JSON [1]}", "{no JSON (1)}"),
        ("", ""),
    ],
)
def test_words_of_others_hold_no_numbers_of_ours(text: str, told: str):
    assert shown.unnumbered(text) == told


def test_hostile_lengths_of_brackets_and_backticks_are_read_at_once():
    for text in ("[" * 200_000, "[1" * 100_000, "[" + "1 " * 100_000, "`" * 200_001 + "[1"):
        assert len(shown.unnumbered(text)) == len(text)


def test_a_line_of_others_is_short_and_plain():
    assert shown.line(" a\n\n[7]\x00 b\u202e ", 50) == "a (7) b"
    assert shown.line("x" * 5_000, 9) == "x" * 9


def test_an_address_leads_to_the_same_place_without_marks():
    assert shown.address("https://a/?x[1]=2") == "https://a/?x%5B1%5D=2"
    assert shown.address("https://[::1]/") == "https://[::1]/"
