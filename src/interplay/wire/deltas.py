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
    """More text of an output."""

    text: str


class TextAnnotationDelta(Record, tag="text_annotation_delta"):
    """Annotations on the text so far; byte offsets count from the start of the content."""

    annotations: (
        list[FileCitation | PlaceCitation | SpeechAnnotation | URLCitation | WordInfo] | None
    ) = None


class ThoughtSummaryDelta(Record, tag="thought_summary"):
    """A piece of the summary of a thought."""

    content: Content | None = None


class ThoughtSignatureDelta(Record, tag="thought_signature"):
    """The signature of a thought, as a whole; the last delta of its step."""

    signature: str | None = None


class ArgumentsDelta(Record, tag="arguments_delta"):
    """A fragment of the JSON text of a call's arguments; joined, the fragments parse."""

    arguments: str | None = None


class ImageDelta(Record, tag="image"):
    """A whole image, or its next piece: base64 that decodes by itself."""

    data: str | None = None
    mime_type: str | None = None
    resolution: MediaResolution | None = None
    uri: str | None = None


class AudioDelta(Record, tag="audio"):
    """The next piece of audio: base64 that decodes by itself; rates are in Hz."""

    channels: int | None = None
    data: str | None = None
    mime_type: str | None = None
    rate: int | None = None
    sample_rate: int | None = None
    uri: str | None = None


class DocumentDelta(Record, tag="document"):
    """A whole document, or its next piece: base64 that decodes by itself."""

    data: str | None = None
    mime_type: str | None = None
    uri: str | None = None


class VideoDelta(Record, tag="video"):
    """A whole video, or its next piece: base64 that decodes by itself."""

    data: str | None = None
    mime_type: str | None = None
    resolution: MediaResolution | None = None
    uri: str | None = None


class FunctionResultDelta(Record, tag="function_result"):
    """The result of a function call, when the server answers it itself."""

    result: str | dict[str, Any] | list[Content | Function]
    is_error: bool | None = None
    name: str | None = None


class CodeExecutionCallDelta(Record, tag="code_execution_call"):
    """The code to be run."""

    arguments: CodeExecutionCallArguments
    signature: str | None = None


class CodeExecutionResultDelta(Record, tag="code_execution_result"):
    """What the code printed, standard error included."""

    result: str
    is_error: bool | None = None
    signature: str | None = None


class FileSearchResult(Record):
    """One result of a file search; what was found stands in the citations."""


class FileSearchCallDelta(Record, tag="file_search_call"):
    """The signature of a file search."""

    signature: str | None = None


class FileSearchResultDelta(Record, tag="file_search_result"):
    """The results of a file search."""

    result: list[FileSearchResult]
    signature: str | None = None


class GoogleMapsCallDelta(Record, tag="google_maps_call"):
    """The questions put to the map."""

    arguments: GoogleMapsCallArguments | None = None
    signature: str | None = None


class GoogleMapsResultDelta(Record, tag="google_maps_result"):
    """The places found."""

    result: list[GoogleMapsResult] | None = None
    signature: str | None = None


class GoogleSearchCallDelta(Record, tag="google_search_call"):
    """The queries of a web search."""

    arguments: GoogleSearchCallArguments
    signature: str | None = None


class GoogleSearchResultDelta(Record, tag="google_search_result"):
    """The results of a web search."""

    result: list[GoogleSearchResult]
    is_error: bool | None = None
    signature: str | None = None


class MCPServerToolCallDelta(Record, tag="mcp_server_tool_call"):
    """A call of a tool of an MCP server."""

    arguments: dict[str, Any]
    name: str
    server_name: str


class MCPServerToolResultDelta(Record, tag="mcp_server_tool_result"):
    """What an MCP server answered."""

    result: str | dict[str, Any] | list[Content | Function]
    name: str | None = None
    server_name: str | None = None


class ProcessingCallDelta(Record, tag="processing_call"):
    """The signature of a media analysis that begins."""

    signature: str | None = None


class ProcessingResultDelta(Record, tag="processing_result"):
    """The signature of a media analysis that has ended."""

    signature: str | None = None


class RetrievalCallDelta(Record, tag="retrieval_call"):
    """The queries put to a configured search service."""

    arguments: RetrievalCallArguments
    retrieval_type: RetrievalType | None = None
    signature: str | None = None


class RetrievalResultDelta(Record, tag="retrieval_result"):
    """The end of a search in a configured service."""

    is_error: bool | None = None
    signature: str | None = None


class ToolSearchCallDelta(Record, tag="tool_search_call"):
    """The deferred functions the model asks for."""

    arguments: ToolSearchCallStepArguments | None = None
    signature: str | None = None


class ToolSearchResultDelta(Record, tag="tool_search_result"):
    """The whole declarations of those functions."""

    result: list[Function] | None = None
    signature: str | None = None


class URLContextCallDelta(Record, tag="url_context_call"):
    """The pages to be read."""

    arguments: URLContextCallArguments
    signature: str | None = None


class URLContextResultDelta(Record, tag="url_context_result"):
    """How reading each page went."""

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
