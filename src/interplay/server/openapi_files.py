"""The paths of files in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from interplay.files.exchange import LARGEST_PAGE
from interplay.server.openapi_parts import (
    TEXT,
    VERSION,
    Json,
    answered,
    in_header,
    in_path,
    in_query,
    operation,
)

_ONE: list[Json] = [VERSION, in_path("id", "The file's id, without `files/`.")]
_STORE: list[Json] = [VERSION, in_path("id", "The store's id, without `fileSearchStores/`.")]
_DOCUMENT: list[Json] = [*_STORE, in_path("document", "The id of a document.")]
_BYTES: Json = {"description": "The bytes.", "content": {"*/*": {}}}


def file_paths() -> Json:
    """Files and their uploads."""
    return _files() | _upload() | _stores() | _documents() | _operations()


def _files() -> Json:
    alt = in_query("alt", {"enum": ["json", "media"]}, "`media` answers the bytes.")
    file = {"200": answered("The file.", "File")}
    return {
        "/{version}/files": {
            "parameters": [VERSION],
            "get": operation(
                "listFiles",
                "List files",
                "The caller's files, newest first.",
                {"200": answered("A page.", "ListFilesResponse")},
                (400, 401),
                tag="files",
                parameters=_paging(),
            ),
        },
        "/{version}/files/{id}": {
            "parameters": _ONE,
            "get": operation(
                "getFile", "Read a file", "", file, (401, 404), tag="files", parameters=[alt]
            ),
            "delete": operation(
                "deleteFile",
                "Delete a file",
                "",
                {"200": answered("It is gone.", None)},
                (401, 404),
                tag="files",
            ),
        },
        "/{version}/files/{id}:download": {
            "parameters": _ONE,
            "get": operation(
                "downloadFile", "The bytes of a file", "", {"200": _BYTES}, (401, 404), tag="files"
            ),
        },
    }


def _upload() -> Json:
    upload = operation(
        "uploadFile",
        "Upload a file",
        "In one request (`raw`, `multipart`), or `resumable`: `start` answers an address in"
        " `X-Goog-Upload-URL`, which takes `upload`, `finalize`, `query` and `cancel`. PUT too.",
        {"200": answered("Where the upload stands, in headers; at its end the file.", None)},
        (400, 401, 404, 409, 413, 416, 429, 503),
        tag="files",
        parameters=[
            in_query("upload_id", TEXT, "The upload that goes on."),
            in_header("X-Goog-Upload-Protocol", "resumable, raw or multipart."),
            in_header("X-Goog-Upload-Command", "What to do, separated by commas."),
            in_header("X-Goog-Upload-Offset", "Where these bytes begin."),
        ],
        requestBody={"content": {"application/json": {}, "*/*": {}}},
    )
    return {"/upload/{version}/files": {"parameters": [VERSION], "post": upload}}


def _paging() -> list[Json]:
    size = {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": 50}
    return [
        in_query("pageSize", size, "How many on a page."),
        in_query("pageToken", TEXT, "`nextPageToken` of the page before."),
    ]


def _read(id: str, summary: str, schema: str) -> Json:
    return operation(id, summary, "", {"200": answered("It.", schema)}, (401, 404), tag="files")


def _listed(id: str, summary: str, schema: str, refusals: tuple[int, ...] = (400, 401)) -> Json:
    page = {"200": answered("A page, newest first.", schema)}
    return operation(id, summary, "", page, refusals, tag="files", parameters=_paging())


def _deleted(id: str, summary: str, **more: Any) -> Json:
    gone = {"200": answered("It is gone.", None)}
    return operation(id, summary, "", gone, (400, 401, 404), tag="files", **more)


def _body() -> Json:
    return {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}


def _stores() -> Json:
    force = in_query("force", {"type": "boolean"}, "With its documents.")
    made = {"200": answered("The store.", "FileSearchStore")}
    refused = (400, 401, 429)
    one = "/{version}/fileSearchStores/{id}"
    return {
        "/{version}/fileSearchStores": {
            "parameters": [VERSION],
            "post": operation(
                "createFileSearchStore",
                "Make a store of documents that can be searched",
                "Takes a `displayName`.",
                made,
                refused,
                tag="files",
                requestBody=_body(),
            ),
            "get": _listed(
                "listFileSearchStores",
                "List stores, without counts",
                "ListFileSearchStoresResponse",
            ),
        },
        one: {
            "parameters": _STORE,
            "get": _read("getFileSearchStore", "Read a store, with counts", "FileSearchStore"),
            "delete": _deleted("deleteFileSearchStore", "Delete a store", parameters=[force]),
        },
    }


def _documents() -> Json:
    one, refused = "/{version}/fileSearchStores/{id}", (400, 401, 404, 413, 429)
    begun = {"200": answered("The operation.", "Operation")}
    upload = operation(
        "uploadToFileSearchStore",
        "Upload a document into a store",
        "As files are uploaded; the end answers the operation that indexes it. PUT too.",
        begun,
        (*refused, 409, 416, 503),
        tag="files",
        requestBody={"content": {"application/json": {}, "*/*": {}}},
    )
    return {
        one + ":importFile": {
            "parameters": _STORE,
            "post": operation(
                "importFile",
                "Make a document of a file",
                "Takes `fileName`, `customMetadata` and `chunkingConfig`.",
                begun,
                refused,
                tag="files",
                requestBody=_body(),
            ),
        },
        "/upload" + one + ":uploadToFileSearchStore": {"parameters": _STORE, "post": upload},
        one + "/documents": {
            "parameters": _STORE,
            "get": _listed(
                "listDocuments", "List documents", "ListDocumentsResponse", (400, 401, 404)
            ),
        },
        one + "/documents/{document}": {
            "parameters": _DOCUMENT,
            "get": _read("getDocument", "Read a document", "Document"),
            "delete": _deleted("deleteDocument", "Delete a document"),
        },
    }


def _operations() -> Json:
    one, read = "/{version}/fileSearchStores/{id}", "Read how far an operation is"
    return {
        one + "/operations": {
            "parameters": _STORE,
            "get": _listed(
                "listStoreOperations", "List operations", "ListOperationsResponse", (400, 401, 404)
            ),
        },
        one + "/operations/{document}": {
            "parameters": _DOCUMENT,
            "get": _read("getStoreOperation", read, "Operation"),
        },
        one + "/upload/operations/{document}": {
            "parameters": _DOCUMENT,
            "get": _read("getStoreUploadOperation", f"{read} that an upload began", "Operation"),
        },
    }
