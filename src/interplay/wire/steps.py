"""Steps: the timeline of an interaction."""

from __future__ import annotations

from typing import Any, Literal

from interplay.wire.content import Content, ImageContent, ReviewSnippet, TextContent
from interplay.wire.record import Record
from interplay.wire.tools import Function, RetrievalType, SearchType


class Status(Record):
    """Why an output ended early: a number of the google.rpc codes, and a sentence."""

    code: int | None = None
    details: list[dict[str, Any]] | None = None
    message: str | None = None


class CodeExecutionCallArguments(Record):
    """The code, and what runs it."""

    code: str | None = None
    language: Literal["python", "bash"] | None = None


class GoogleMapsCallArguments(Record):
    """Questions put to a map."""

    queries: list[str] | None = None


class GoogleSearchCallArguments(Record):
    """Queries of a web search."""

    queries: list[str] | None = None


class RetrievalCallArguments(Record):
    """Queries put to a configured search service."""

    queries: list[str] | None = None


class ToolSearchCallStepArguments(Record):
    """Names of deferred functions."""

    function_names: list[str] | None = None


class URLContextCallArguments(Record):
    """Addresses of pages to be read."""

    urls: list[str] | None = None


class GoogleMapsResultPlaces(Record):
    """A place, and reviews that speak of it."""

    name: str | None = None
    place_id: str | None = None
    review_snippets: list[ReviewSnippet] | None = None
    url: str | None = None


class GoogleMapsResult(Record):
    """Places found, and a token that shows them in a map widget."""

    places: list[GoogleMapsResultPlaces] | None = None
    widget_context_token: str | None = None


class GoogleSearchResult(Record):
    """A web search: HTML that shows its suggestions."""

    search_suggestions: str | None = None


class URLContextResult(Record):
    """How reading one page went."""

    status: Literal["success", "error", "paywall", "unsafe"] | None = None
    url: str | None = None


class UserInputStep(Record, tag="user_input"):
    """What the caller said."""

    content: list[Content] | None = None


class ModelOutputStep(Record, tag="model_output"):
    """What the model said; with `error`, why it stopped there."""

    content: list[Content] | None = None
    error: Status | None = None


class ThoughtStep(Record, tag="thought"):
    """What the model thought: a summary when asked for, and a base64 signature.

    The signature comes back unchanged in the next request of a stateless conversation.
    """

    signature: str | None = None
    summary: list[ImageContent | TextContent] | None = None


class FunctionCallStep(Record, tag="function_call"):
    """A call of the caller's function; the answer is a function_result with `call_id` = `id`."""

    arguments: dict[str, Any]
    id: str
    name: str
    signature: str | None = None


class FunctionResultStep(Record, tag="function_result"):
    """The answer to a function_call: text, an object, or content blocks."""

    call_id: str
    result: str | dict[str, Any] | list[Content | Function]
    is_error: bool | None = None
    name: str | None = None
    signature: str | None = None


class CodeExecutionCallStep(Record, tag="code_execution_call"):
    """Code the server runs."""

    arguments: CodeExecutionCallArguments
    id: str
    signature: str | None = None


class CodeExecutionResultStep(Record, tag="code_execution_result"):
    """What the code printed."""

    call_id: str
    result: list[Content] | str
    is_error: bool | None = None
    signature: str | None = None


class FileSearchCallStep(Record, tag="file_search_call"):
    """A search in file stores."""

    id: str
    signature: str | None = None


class FileSearchResultStep(Record, tag="file_search_result"):
    """The end of a search in file stores."""

    call_id: str
    signature: str | None = None


class GoogleMapsCallStep(Record, tag="google_maps_call"):
    """A question put to a map."""

    id: str
    arguments: GoogleMapsCallArguments | None = None
    signature: str | None = None


class GoogleMapsResultStep(Record, tag="google_maps_result"):
    """The places found."""

    call_id: str
    result: list[GoogleMapsResult]
    signature: str | None = None


class GoogleSearchCallStep(Record, tag="google_search_call"):
    """A web search."""

    arguments: GoogleSearchCallArguments
    id: str
    search_type: SearchType | None = None
    signature: str | None = None


class GoogleSearchResultStep(Record, tag="google_search_result"):
    """The results of a web search."""

    call_id: str
    result: list[GoogleSearchResult]
    is_error: bool | None = None
    signature: str | None = None


class MCPServerToolCallStep(Record, tag="mcp_server_tool_call"):
    """A call of a tool of an MCP server."""

    arguments: dict[str, Any]
    id: str
    name: str
    server_name: str


class MCPServerToolResultStep(Record, tag="mcp_server_tool_result"):
    """What an MCP server answered."""

    call_id: str
    result: str | dict[str, Any] | list[Content | Function]
    name: str | None = None
    server_name: str | None = None


class ProcessingCallStep(Record, tag="processing_call"):
    """The server begins to analyse media."""

    id: str
    signature: str | None = None


class ProcessingResultStep(Record, tag="processing_result"):
    """The server has analysed media."""

    call_id: str
    signature: str | None = None


class RetrievalCallStep(Record, tag="retrieval_call"):
    """A search in a configured service."""

    arguments: RetrievalCallArguments
    id: str
    retrieval_type: RetrievalType | None = None
    signature: str | None = None


class RetrievalResultStep(Record, tag="retrieval_result"):
    """The end of a search in a configured service."""

    call_id: str
    is_error: bool | None = None
    signature: str | None = None


class ToolSearchCallStep(Record, tag="tool_search_call"):
    """The model asks for deferred functions by name."""

    arguments: ToolSearchCallStepArguments
    id: str
    signature: str | None = None


class ToolSearchResultStep(Record, tag="tool_search_result"):
    """The whole declarations of the functions asked for."""

    call_id: str
    result: list[Function] | None = None
    signature: str | None = None


class URLContextCallStep(Record, tag="url_context_call"):
    """The server reads web pages."""

    arguments: URLContextCallArguments
    id: str
    signature: str | None = None


class URLContextResultStep(Record, tag="url_context_result"):
    """How reading each page went."""

    call_id: str
    result: list[URLContextResult]
    is_error: bool | None = None
    signature: str | None = None


Step = (
    UserInputStep
    | ModelOutputStep
    | ThoughtStep
    | FunctionCallStep
    | FunctionResultStep
    | CodeExecutionCallStep
    | CodeExecutionResultStep
    | FileSearchCallStep
    | FileSearchResultStep
    | GoogleMapsCallStep
    | GoogleMapsResultStep
    | GoogleSearchCallStep
    | GoogleSearchResultStep
    | MCPServerToolCallStep
    | MCPServerToolResultStep
    | ProcessingCallStep
    | ProcessingResultStep
    | RetrievalCallStep
    | RetrievalResultStep
    | ToolSearchCallStep
    | ToolSearchResultStep
    | URLContextCallStep
    | URLContextResultStep
)
