"""The paths of files in the OpenAPI document."""

from __future__ import annotations

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
_BYTES: Json = {"description": "The bytes.", "content": {"*/*": {}}}


def file_paths() -> Json:
    """Files and their uploads."""
    return _files() | _upload()


def _files() -> Json:
    size = {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": 50}
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
                parameters=[
                    in_query("pageSize", size, "How many on a page."),
                    in_query("pageToken", TEXT, "`nextPageToken` of the page before."),
                ],
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
