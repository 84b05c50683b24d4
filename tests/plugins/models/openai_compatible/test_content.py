"""Content blocks become the parts of a message, or are refused."""

from typing import Any

import pytest

from interplay.contracts.failure import Refused
from interplay.wire.content import (
    AudioContent,
    DocumentContent,
    ImageContent,
    VideoContent,
)
from tests.plugins.models.openai_compatible.test_messages import PNG, messages, user


def test_images_go_by_data_url_or_address():
    found = messages(
        user(
            "look",
            ImageContent(data=PNG, mime_type="image/webp", resolution="low"),
            ImageContent(data=PNG),
            ImageContent(uri="https://x.example/a.png"),
        )
    )
    assert found[0]["content"] == [
        {"type": "text", "text": "look"},
        {
            "type": "image_url",
            "image_url": {"url": f"data:image/webp;base64,{PNG}", "detail": "low"},
        },
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}},
    ]


def test_audio_documents_and_video_have_their_own_parts():
    found = messages(
        user(
            AudioContent(data="AAAA", mime_type="audio/mpeg"),
            DocumentContent(data="BBBB", mime_type="application/pdf"),
            VideoContent(uri="https://x.example/v.mp4"),
        )
    )
    assert found[0]["content"] == [
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
        {
            "type": "file",
            "file": {
                "filename": "document.pdf",
                "file_data": "data:application/pdf;base64,BBBB",
            },
        },
        {"type": "video_url", "video_url": {"url": "https://x.example/v.mp4"}},
    ]


@pytest.mark.parametrize(
    "block",
    [
        ImageContent(data=PNG),
        AudioContent(data="AAAA"),
        VideoContent(uri="https://x.example/v"),
        DocumentContent(data="BBBB"),
    ],
)
def test_what_the_model_cannot_take_is_refused_and_the_step_named(block: Any):
    with pytest.raises(Refused) as refused:
        messages(user("a"), user("b", block), inputs={"text"})
    assert "Step 2 of the conversation (user_input)" in refused.value.message
    assert "facts.inputs" in refused.value.message


def test_an_address_the_server_cannot_fetch_is_refused():
    with pytest.raises(Refused, match="gs://bucket"):
        messages(user(ImageContent(uri="gs://bucket/a.png")))
