"""Content blocks: what a step holds, and the annotations on text."""

from __future__ import annotations

from typing import Any, Literal

from interplay.wire.record import Record

MediaResolution = Literal["low", "medium", "high", "ultra_high"]


class ReviewSnippet(Record):
    """One review of a place that a statement rests on."""

    review_id: str | None = None
    title: str | None = None
    url: str | None = None


class URLCitation(Record, tag="url_citation"):
    """A web page that a part of the text rests on.

    Here and in every annotation `start_index` and `end_index` are byte offsets into the UTF-8
    of the text, the end exclusive.
    """

    end_index: int | None = None
    start_index: int | None = None
    title: str | None = None
    url: str | None = None


class FileCitation(Record, tag="file_citation"):
    """A passage of a file, or of a search store, that a part of the text rests on.

    `page_number` counts from 1.
    """

    custom_metadata: dict[str, Any] | None = None
    document_uri: str | None = None
    end_index: int | None = None
    file_name: str | None = None
    media_id: str | None = None
    page_number: int | None = None
    source: str | None = None
    start_index: int | None = None


class PlaceCitation(Record, tag="place_citation"):
    """A place on a map that a part of the text rests on."""

    end_index: int | None = None
    name: str | None = None
    place_id: str | None = None
    review_snippets: list[ReviewSnippet] | None = None
    start_index: int | None = None
    url: str | None = None


class WordInfo(Record, tag="word_info"):
    """One transcribed word: its bytes in the text, its speaker, and when it is heard.

    Offsets in time are seconds with an `s` at the end, such as `12.5s`.
    """

    end_index: int | None = None
    end_offset: str | None = None
    speaker: str | None = None
    start_index: int | None = None
    start_offset: str | None = None
    text: str | None = None


class SpeechAnnotation(Record, tag="speech_metadata"):
    """Who speaks a part of the text, and how."""

    end_index: int | None = None
    speaker: str | None = None
    start_index: int | None = None
    style: str | None = None


class AudioStaticMediaProcessing(Record, tag="static"):
    """The part of a recording to listen to, in seconds such as `10.5s`; the end is exclusive."""

    end_offset: str | None = None
    start_offset: str | None = None


class PageProcessingOptions(Record):
    """Which pages of a document to read, counted from 1, and whether as image or as text."""

    content_layers: list[Literal["page_image", "page_text"]] | None = None
    end_page: int | None = None
    start_page: int | None = None


class SpreadsheetProcessingOptions(Record):
    """Which sheet (from 0), which cells (such as `A1:D20`) and which layers to read."""

    content_layers: list[Literal["visual", "data", "formulas"]] | None = None
    sheet_index: int | None = None
    visible_cells: str | None = None


class DocumentStaticMediaProcessing(Record, tag="static"):
    """How a document is cut before the model reads it."""

    page_options: PageProcessingOptions | None = None
    spreadsheet_options: SpreadsheetProcessingOptions | None = None


class StaticMediaProcessing(Record, tag="static"):
    """How a video is cut before the model sees it.

    Offsets are seconds such as `10.5s`, the end exclusive; `fps` is frames per second.
    """

    content_layers: list[Literal["frames", "audio", "transcript"]] | None = None
    end_offset: str | None = None
    fps: float | None = None
    start_offset: str | None = None


class TextContent(Record, tag="text"):
    """Text, and in answers the sources and words it is annotated with."""

    text: str
    annotations: (
        list[FileCitation | PlaceCitation | SpeechAnnotation | URLCitation | WordInfo] | None
    ) = None


class ImageContent(Record, tag="image"):
    """An image: `data` in base64, or the `uri` it can be fetched from."""

    data: str | None = None
    mime_type: str | None = None
    resolution: MediaResolution | None = None
    uri: str | None = None


class AudioContent(Record, tag="audio"):
    """A recording: `data` in base64, or a `uri`.

    `sample_rate` is in Hz; raw `audio/l16` needs it, and `channels`.
    """

    channels: int | None = None
    data: str | None = None
    mime_type: str | None = None
    processing: AudioStaticMediaProcessing | Literal["static"] | None = None
    sample_rate: int | None = None
    uri: str | None = None


class DocumentContent(Record, tag="document"):
    """A document such as a PDF: `data` in base64, or a `uri`."""

    data: str | None = None
    mime_type: str | None = None
    processing: DocumentStaticMediaProcessing | Literal["static"] | None = None
    resolution: MediaResolution | None = None
    uri: str | None = None


class VideoContent(Record, tag="video"):
    """A video: `data` in base64, or a `uri`."""

    data: str | None = None
    mime_type: str | None = None
    name: str | None = None
    processing: StaticMediaProcessing | Literal["static", "agentic"] | None = None
    resolution: MediaResolution | None = None
    uri: str | None = None


Annotation = URLCitation | FileCitation | PlaceCitation | WordInfo | SpeechAnnotation


Content = TextContent | ImageContent | AudioContent | DocumentContent | VideoContent
