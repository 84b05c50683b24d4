"""What kind of media bytes are, where nobody said so."""

from __future__ import annotations

import mimetypes

UNKNOWN = "application/octet-stream"

_STARTS: list[tuple[bytes, str]] = [
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"\x1f\x8b", "application/gzip"),
]
_RIFF = {b"WAVE": "audio/wav", b"WEBP": "image/webp", b"AVI ": "video/x-msvideo"}
_BRANDS = {
    b"heic": "image/heic",
    b"mif1": "image/heif",
    b"avif": "image/avif",
    b"M4A ": "audio/mp4",
    b"qt  ": "video/quicktime",
}
_OFFICE = "application/vnd.openxmlformats-officedocument."
_ZIPPED = [
    (b"word/", _OFFICE + "wordprocessingml.document"),
    (b"xl/", _OFFICE + "spreadsheetml.sheet"),
    (b"ppt/", _OFFICE + "presentationml.presentation"),
    (b"mimetypeapplication/epub+zip", "application/epub+zip"),
]


def sniff(start: bytes, name: str | None = None) -> str:
    """The MIME type of a file by its first kilobytes, then by the end of its name."""
    if start[:4] == b"RIFF":
        return _RIFF.get(start[8:12], UNKNOWN)
    if start[4:8] == b"ftyp":
        return _BRANDS.get(start[8:12], "video/mp4")
    if start[:4] == b"PK\x03\x04":
        return next((kind for mark, kind in _ZIPPED if mark in start), "application/zip")
    for mark, kind in _STARTS:
        if start.startswith(mark):
            return kind
    by_name = mimetypes.guess_type(name)[0] if name else None
    return by_name or _text(start)


def _text(start: bytes) -> str:
    try:
        words = start.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3 or not start:
            return UNKNOWN
        words = start[: error.start].decode("utf-8")  # a letter was cut in two
    if "\0" in words:
        return UNKNOWN
    head = words.lstrip("\ufeff \t\r\n")[:64].lower()
    if head.startswith(("<!doctype html", "<html")):
        return "text/html"
    if head.startswith("<svg"):
        return "image/svg+xml"
    return "text/plain"
