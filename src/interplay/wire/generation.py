"""How a model is asked to generate: knobs, output formats, safety."""

from __future__ import annotations

from typing import Any, Literal

from interplay.wire.record import Record
from interplay.wire.tools import ToolChoiceConfig, ToolChoiceType

ThinkingLevel = Literal["minimal", "low", "medium", "high", "xhigh"]

ThinkingSummaries = Literal["auto", "none"]

Delivery = Literal["inline", "uri"]

AspectRatio = Literal[
    "1:1",
    "2:3",
    "3:2",
    "3:4",
    "4:3",
    "4:5",
    "5:4",
    "9:16",
    "16:9",
    "21:9",
    "1:8",
    "8:1",
    "1:4",
    "4:1",
]

ImageSize = Literal["512", "1K", "2K", "4K"]

ServiceTier = Literal["flex", "standard", "priority", "deferred"]


class SpeechConfig(Record):
    """A voice by name, the language as a BCP 47 tag, and the speaker it is for."""

    language: str | None = None
    speaker: str | None = None
    voice: str | None = None


class SpeakerConfig(Record):
    """One voice for each speaker."""

    speakers: list[SpeechConfig] | None = None


class ImageConfig(Record):
    """Shape and size of images; deprecated, `response_format` says it now."""

    aspect_ratio: AspectRatio | None = None
    image_size: ImageSize | None = None


class VideoConfig(Record):
    """What a video is made from."""

    task: (
        Literal[
            "text_to_video", "image_to_video", "reference_to_video", "edit", "extend", "upscale"
        ]
        | None
    ) = None


class VerbatimTranscriptionMode(Record, tag="verbatim"):
    """Every word as it was spoken."""

    diarization_mode: str | None = None
    timestamp_granularities: list[str] | None = None


class SmartTranscriptionMode(Record, tag="smart"):
    """A readable text, corrected against `source_text` where there is one."""

    source_text: str | None = None


class TranscriptionConfig(Record):
    """How speech becomes text: languages as BCP 47 tags, rare words, speakers, timestamps."""

    adaptation_phrases: list[str] | None = None
    custom_vocabulary: list[str] | None = None
    diarization_mode: str | None = None
    language_codes: list[str] | None = None
    language_hints: list[str] | None = None
    mode: (
        SmartTranscriptionMode | VerbatimTranscriptionMode | Literal["verbatim", "smart"] | None
    ) = None
    timestamp_granularities: list[str] | None = None


class GenerationConfig(Record):
    """How a model generates.

    `temperature` is 0 to 2, `top_p` 0 to 1, `top_k` at least 1, `max_output_tokens` at least 1,
    `seed` 0 to 2147483647.
    """

    image_config: ImageConfig | None = None
    max_output_tokens: int | None = None
    seed: int | None = None
    speech_config: SpeakerConfig | list[SpeechConfig] | None = None
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    thinking_level: ThinkingLevel | None = None
    thinking_summaries: ThinkingSummaries | None = None
    tool_choice: ToolChoiceConfig | ToolChoiceType | None = None
    top_p: float | None = None
    top_k: int | None = None
    transcription_config: TranscriptionConfig | None = None
    video_config: VideoConfig | None = None


class TextResponseFormat(Record, tag="text"):
    """Text; with `application/json` and a `schema`, JSON that fits the schema."""

    mime_type: str | None = None
    schema: dict[str, Any] | None = None


class AudioResponseFormat(Record, tag="audio"):
    """Speech or music: `bit_rate` in bits per second, `sample_rate` in Hz."""

    bit_rate: int | None = None
    delivery: Delivery | None = None
    mime_type: str | None = None
    sample_rate: int | None = None


class ImageResponseFormat(Record, tag="image"):
    """An image of this shape and size."""

    aspect_ratio: AspectRatio | None = None
    delivery: Delivery | None = None
    image_size: ImageSize | None = None
    mime_type: str | None = None


class VideoResponseFormat(Record, tag="video"):
    """A video: `duration` in seconds such as `8s`, delivered inline or as a `uri`."""

    aspect_ratio: Literal["16:9", "9:16"] | None = None
    delivery: Delivery | None = None
    duration: str | None = None
    gcs_uri: str | None = None
    resolution: Literal["360p", "720p", "1080p", "4k"] | None = None


class SafetySetting(Record):
    """From which level on one kind of harm is blocked."""

    threshold: Literal[
        "block_low_and_above", "block_medium_and_above", "block_only_high", "block_none", "off"
    ]
    type: Literal[
        "hate_speech",
        "dangerous_content",
        "harassment",
        "sexually_explicit",
        "civic_integrity",
        "image_hate",
        "image_dangerous_content",
        "image_harassment",
        "image_sexually_explicit",
        "jailbreak",
    ]
    method: Literal["severity", "probability"] | None = None


ResponseFormat = (
    TextResponseFormat | AudioResponseFormat | ImageResponseFormat | VideoResponseFormat
)
