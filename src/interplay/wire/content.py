"""Content blocks: what a step holds, and the annotations on text."""

from __future__ import annotations

from typing import Any, Literal

from interplay.wire.record import Record

MediaResolution = Literal["low", "medium", "high", "ultra_high"]


class ReviewSnippet(Record):
    """ReviewSnippet"""

    review_id: str | None = None
    title: str | None = None
    url: str | None = None


class URLCitation(Record, tag="url_citation"):
    """URLCitation"""

    end_index: int | None = None
    start_index: int | None = None
    title: str | None = None
    url: str | None = None


class FileCitation(Record, tag="file_citation"):
    """FileCitation"""

    custom_metadata: dict[str, Any] | None = None
    document_uri: str | None = None
    end_index: int | None = None
    file_name: str | None = None
    media_id: str | None = None
    page_number: int | None = None
    source: str | None = None
    start_index: int | None = None


class PlaceCitation(Record, tag="place_citation"):
    """PlaceCitation"""

    end_index: int | None = None
    name: str | None = None
    place_id: str | None = None
    review_snippets: list[ReviewSnippet] | None = None
    start_index: int | None = None
    url: str | None = None


class WordInfo(Record, tag="word_info"):
    """WordInfo"""

    end_index: int | None = None
    end_offset: str | None = None
    speaker: str | None = None
    start_index: int | None = None
    start_offset: str | None = None
    text: str | None = None


class SpeechAnnotation(Record, tag="speech_metadata"):
    """SpeechAnnotation"""

    end_index: int | None = None
    speaker: str | None = None
    start_index: int | None = None
    style: str | None = None


class AudioStaticMediaProcessing(Record, tag="static"):
    """AudioStaticMediaProcessing"""

    end_offset: str | None = None
    start_offset: str | None = None


class PageProcessingOptions(Record):
    """PageProcessingOptions"""

    content_layers: list[Literal["page_image", "page_text"]] | None = None
    end_page: int | None = None
    start_page: int | None = None


class SpreadsheetProcessingOptions(Record):
    """SpreadsheetProcessingOptions"""

    content_layers: list[Literal["visual", "data", "formulas"]] | None = None
    sheet_index: int | None = None
    visible_cells: str | None = None


class DocumentStaticMediaProcessing(Record, tag="static"):
    """DocumentStaticMediaProcessing"""

    page_options: PageProcessingOptions | None = None
    spreadsheet_options: SpreadsheetProcessingOptions | None = None


class StaticMediaProcessing(Record, tag="static"):
    """StaticMediaProcessing"""

    content_layers: list[Literal["frames", "audio", "transcript"]] | None = None
    end_offset: str | None = None
    fps: float | None = None
    start_offset: str | None = None


class TextContent(Record, tag="text"):
    """TextContent"""

    text: str
    annotations: (
        list[FileCitation | PlaceCitation | SpeechAnnotation | URLCitation | WordInfo] | None
    ) = None


class ImageContent(Record, tag="image"):
    """ImageContent"""

    data: str | None = None
    mime_type: str | None = None
    resolution: MediaResolution | None = None
    uri: str | None = None


class AudioContent(Record, tag="audio"):
    """AudioContent"""

    channels: int | None = None
    data: str | None = None
    mime_type: str | None = None
    processing: AudioStaticMediaProcessing | Literal["static"] | None = None
    sample_rate: int | None = None
    uri: str | None = None


class DocumentContent(Record, tag="document"):
    """DocumentContent"""

    data: str | None = None
    mime_type: str | None = None
    processing: DocumentStaticMediaProcessing | Literal["static"] | None = None
    resolution: MediaResolution | None = None
    uri: str | None = None


class VideoContent(Record, tag="video"):
    """VideoContent"""

    data: str | None = None
    mime_type: str | None = None
    name: str | None = None
    processing: StaticMediaProcessing | Literal["static", "agentic"] | None = None
    resolution: MediaResolution | None = None
    uri: str | None = None


Annotation = URLCitation | FileCitation | PlaceCitation | WordInfo | SpeechAnnotation


Content = TextContent | ImageContent | AudioContent | DocumentContent | VideoContent
