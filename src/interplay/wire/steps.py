"""Steps: the timeline of an interaction."""

from __future__ import annotations

from typing import Any, Literal

from interplay.wire.content import Content, ImageContent, ReviewSnippet, TextContent
from interplay.wire.record import Record
from interplay.wire.tools import Function, RetrievalType, SearchType


class Status(Record):
    """Status"""

    code: int | None = None
    details: list[dict[str, Any]] | None = None
    message: str | None = None


class CodeExecutionCallArguments(Record):
    """CodeExecutionCallArguments"""

    code: str | None = None
    language: Literal["python", "bash"] | None = None


class GoogleMapsCallArguments(Record):
    """GoogleMapsCallArguments"""

    queries: list[str] | None = None


class GoogleSearchCallArguments(Record):
    """GoogleSearchCallArguments"""

    queries: list[str] | None = None


class RetrievalCallArguments(Record):
    """RetrievalCallArguments"""

    queries: list[str] | None = None


class ToolSearchCallStepArguments(Record):
    """ToolSearchCallStepArguments"""

    function_names: list[str] | None = None


class URLContextCallArguments(Record):
    """URLContextCallArguments"""

    urls: list[str] | None = None


class GoogleMapsResultPlaces(Record):
    """GoogleMapsResultPlaces"""

    name: str | None = None
    place_id: str | None = None
    review_snippets: list[ReviewSnippet] | None = None
    url: str | None = None


class GoogleMapsResult(Record):
    """GoogleMapsResult"""

    places: list[GoogleMapsResultPlaces] | None = None
    widget_context_token: str | None = None


class GoogleSearchResult(Record):
    """GoogleSearchResult"""

    search_suggestions: str | None = None


class URLContextResult(Record):
    """URLContextResult"""

    status: Literal["success", "error", "paywall", "unsafe"] | None = None
    url: str | None = None


class UserInputStep(Record, tag="user_input"):
    """UserInputStep"""

    content: list[Content] | None = None


class ModelOutputStep(Record, tag="model_output"):
    """ModelOutputStep"""

    content: list[Content] | None = None
    error: Status | None = None


class ThoughtStep(Record, tag="thought"):
    """ThoughtStep"""

    signature: str | None = None
    summary: list[ImageContent | TextContent] | None = None


class FunctionCallStep(Record, tag="function_call"):
    """FunctionCallStep"""

    arguments: dict[str, Any]
    id: str
    name: str
    signature: str | None = None


class FunctionResultStep(Record, tag="function_result"):
    """FunctionResultStep"""

    call_id: str
    result: str | dict[str, Any] | list[Content | Function]
    is_error: bool | None = None
    name: str | None = None
    signature: str | None = None


class CodeExecutionCallStep(Record, tag="code_execution_call"):
    """CodeExecutionCallStep"""

    arguments: CodeExecutionCallArguments
    id: str
    signature: str | None = None


class CodeExecutionResultStep(Record, tag="code_execution_result"):
    """CodeExecutionResultStep"""

    call_id: str
    result: list[Content] | str
    is_error: bool | None = None
    signature: str | None = None


class FileSearchCallStep(Record, tag="file_search_call"):
    """FileSearchCallStep"""

    id: str
    signature: str | None = None


class FileSearchResultStep(Record, tag="file_search_result"):
    """FileSearchResultStep"""

    call_id: str
    signature: str | None = None


class GoogleMapsCallStep(Record, tag="google_maps_call"):
    """GoogleMapsCallStep"""

    id: str
    arguments: GoogleMapsCallArguments | None = None
    signature: str | None = None


class GoogleMapsResultStep(Record, tag="google_maps_result"):
    """GoogleMapsResultStep"""

    call_id: str
    result: list[GoogleMapsResult]
    signature: str | None = None


class GoogleSearchCallStep(Record, tag="google_search_call"):
    """GoogleSearchCallStep"""

    arguments: GoogleSearchCallArguments
    id: str
    search_type: SearchType | None = None
    signature: str | None = None


class GoogleSearchResultStep(Record, tag="google_search_result"):
    """GoogleSearchResultStep"""

    call_id: str
    result: list[GoogleSearchResult]
    is_error: bool | None = None
    signature: str | None = None


class MCPServerToolCallStep(Record, tag="mcp_server_tool_call"):
    """MCPServerToolCallStep"""

    arguments: dict[str, Any]
    id: str
    name: str
    server_name: str


class MCPServerToolResultStep(Record, tag="mcp_server_tool_result"):
    """MCPServerToolResultStep"""

    call_id: str
    result: str | dict[str, Any] | list[Content | Function]
    name: str | None = None
    server_name: str | None = None


class ProcessingCallStep(Record, tag="processing_call"):
    """ProcessingCallStep"""

    id: str
    signature: str | None = None


class ProcessingResultStep(Record, tag="processing_result"):
    """ProcessingResultStep"""

    call_id: str
    signature: str | None = None


class RetrievalCallStep(Record, tag="retrieval_call"):
    """RetrievalCallStep"""

    arguments: RetrievalCallArguments
    id: str
    retrieval_type: RetrievalType | None = None
    signature: str | None = None


class RetrievalResultStep(Record, tag="retrieval_result"):
    """RetrievalResultStep"""

    call_id: str
    is_error: bool | None = None
    signature: str | None = None


class ToolSearchCallStep(Record, tag="tool_search_call"):
    """ToolSearchCallStep"""

    arguments: ToolSearchCallStepArguments
    id: str
    signature: str | None = None


class ToolSearchResultStep(Record, tag="tool_search_result"):
    """ToolSearchResultStep"""

    call_id: str
    result: list[Function] | None = None
    signature: str | None = None


class URLContextCallStep(Record, tag="url_context_call"):
    """URLContextCallStep"""

    arguments: URLContextCallArguments
    id: str
    signature: str | None = None


class URLContextResultStep(Record, tag="url_context_result"):
    """URLContextResultStep"""

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
