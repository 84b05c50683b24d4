"""Deltas: what a `step.delta` event adds to its step."""

from __future__ import annotations

from typing import Any

from interplay.wire.content import (
    Content,
    FileCitation,
    MediaResolution,
    PlaceCitation,
    SpeechAnnotation,
    URLCitation,
    WordInfo,
)
from interplay.wire.record import Record
from interplay.wire.steps import (
    CodeExecutionCallArguments,
    GoogleMapsCallArguments,
    GoogleMapsResult,
    GoogleSearchCallArguments,
    GoogleSearchResult,
    RetrievalCallArguments,
    ToolSearchCallStepArguments,
    URLContextCallArguments,
    URLContextResult,
)
from interplay.wire.tools import Function, RetrievalType


class TextDelta(Record, tag="text"):
    """TextDelta"""

    text: str


class TextAnnotationDelta(Record, tag="text_annotation_delta"):
    """TextAnnotationDelta"""

    annotations: (
        list[FileCitation | PlaceCitation | SpeechAnnotation | URLCitation | WordInfo] | None
    ) = None


class ThoughtSummaryDelta(Record, tag="thought_summary"):
    """ThoughtSummaryDelta"""

    content: Content | None = None


class ThoughtSignatureDelta(Record, tag="thought_signature"):
    """ThoughtSignatureDelta"""

    signature: str | None = None


class ArgumentsDelta(Record, tag="arguments_delta"):
    """ArgumentsDelta"""

    arguments: str | None = None


class ImageDelta(Record, tag="image"):
    """ImageDelta"""

    data: str | None = None
    mime_type: str | None = None
    resolution: MediaResolution | None = None
    uri: str | None = None


class AudioDelta(Record, tag="audio"):
    """AudioDelta"""

    channels: int | None = None
    data: str | None = None
    mime_type: str | None = None
    rate: int | None = None
    sample_rate: int | None = None
    uri: str | None = None


class DocumentDelta(Record, tag="document"):
    """DocumentDelta"""

    data: str | None = None
    mime_type: str | None = None
    uri: str | None = None


class VideoDelta(Record, tag="video"):
    """VideoDelta"""

    data: str | None = None
    mime_type: str | None = None
    resolution: MediaResolution | None = None
    uri: str | None = None


class FunctionResultDelta(Record, tag="function_result"):
    """FunctionResultDelta"""

    result: str | dict[str, Any] | list[Content | Function]
    is_error: bool | None = None
    name: str | None = None


class CodeExecutionCallDelta(Record, tag="code_execution_call"):
    """CodeExecutionCallDelta"""

    arguments: CodeExecutionCallArguments
    signature: str | None = None


class CodeExecutionResultDelta(Record, tag="code_execution_result"):
    """CodeExecutionResultDelta"""

    result: str
    is_error: bool | None = None
    signature: str | None = None


class FileSearchResult(Record):
    """FileSearchResult"""


class FileSearchCallDelta(Record, tag="file_search_call"):
    """FileSearchCallDelta"""

    signature: str | None = None


class FileSearchResultDelta(Record, tag="file_search_result"):
    """FileSearchResultDelta"""

    result: list[FileSearchResult]
    signature: str | None = None


class GoogleMapsCallDelta(Record, tag="google_maps_call"):
    """GoogleMapsCallDelta"""

    arguments: GoogleMapsCallArguments | None = None
    signature: str | None = None


class GoogleMapsResultDelta(Record, tag="google_maps_result"):
    """GoogleMapsResultDelta"""

    result: list[GoogleMapsResult] | None = None
    signature: str | None = None


class GoogleSearchCallDelta(Record, tag="google_search_call"):
    """GoogleSearchCallDelta"""

    arguments: GoogleSearchCallArguments
    signature: str | None = None


class GoogleSearchResultDelta(Record, tag="google_search_result"):
    """GoogleSearchResultDelta"""

    result: list[GoogleSearchResult]
    is_error: bool | None = None
    signature: str | None = None


class MCPServerToolCallDelta(Record, tag="mcp_server_tool_call"):
    """MCPServerToolCallDelta"""

    arguments: dict[str, Any]
    name: str
    server_name: str


class MCPServerToolResultDelta(Record, tag="mcp_server_tool_result"):
    """MCPServerToolResultDelta"""

    result: str | dict[str, Any] | list[Content | Function]
    name: str | None = None
    server_name: str | None = None


class ProcessingCallDelta(Record, tag="processing_call"):
    """ProcessingCallDelta"""

    signature: str | None = None


class ProcessingResultDelta(Record, tag="processing_result"):
    """ProcessingResultDelta"""

    signature: str | None = None


class RetrievalCallDelta(Record, tag="retrieval_call"):
    """RetrievalCallDelta"""

    arguments: RetrievalCallArguments
    retrieval_type: RetrievalType | None = None
    signature: str | None = None


class RetrievalResultDelta(Record, tag="retrieval_result"):
    """RetrievalResultDelta"""

    is_error: bool | None = None
    signature: str | None = None


class ToolSearchCallDelta(Record, tag="tool_search_call"):
    """ToolSearchCallDelta"""

    arguments: ToolSearchCallStepArguments | None = None
    signature: str | None = None


class ToolSearchResultDelta(Record, tag="tool_search_result"):
    """ToolSearchResultDelta"""

    result: list[Function] | None = None
    signature: str | None = None


class URLContextCallDelta(Record, tag="url_context_call"):
    """URLContextCallDelta"""

    arguments: URLContextCallArguments
    signature: str | None = None


class URLContextResultDelta(Record, tag="url_context_result"):
    """URLContextResultDelta"""

    result: list[URLContextResult]
    is_error: bool | None = None
    signature: str | None = None


DeltaData = (
    TextDelta
    | TextAnnotationDelta
    | ThoughtSummaryDelta
    | ThoughtSignatureDelta
    | ArgumentsDelta
    | ImageDelta
    | AudioDelta
    | DocumentDelta
    | VideoDelta
    | FunctionResultDelta
    | CodeExecutionCallDelta
    | CodeExecutionResultDelta
    | FileSearchCallDelta
    | FileSearchResultDelta
    | GoogleMapsCallDelta
    | GoogleMapsResultDelta
    | GoogleSearchCallDelta
    | GoogleSearchResultDelta
    | MCPServerToolCallDelta
    | MCPServerToolResultDelta
    | ProcessingCallDelta
    | ProcessingResultDelta
    | RetrievalCallDelta
    | RetrievalResultDelta
    | ToolSearchCallDelta
    | ToolSearchResultDelta
    | URLContextCallDelta
    | URLContextResultDelta
)
