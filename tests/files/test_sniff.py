"""What kind of media bytes are."""

import pytest

from interplay.files.sniff import sniff


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"%PDF-1.7\n", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF....WAVEfmt ", "audio/wav"),
        (b"RIFF....WEBP", "image/webp"),
        (b"\0\0\0\x20ftypisom", "video/mp4"),
        (b"\0\0\0\x20ftypheic", "image/heic"),
        (b"PK\x03\x04 ... word/document.xml", "application/vnd.openxmlformats-officedocument"
         ".wordprocessingml.document"),
        (b"PK\x03\x04 ... a.txt", "application/zip"),
        ("Grüße, Welt".encode(), "text/plain"),
        ("Grüße".encode()[:3], "text/plain"),
        (b"  <!DOCTYPE html><html>", "text/html"),
        (b"\xfe\xfe\0\0 no text at all", "application/octet-stream"),
        (b"zero \0 byte", "application/octet-stream"),
        (b"", "text/plain"),
    ],
)  # fmt: skip
def test_bytes_tell_what_they_are(start: bytes, kind: str) -> None:
    assert sniff(start) == kind


def test_where_bytes_tell_nothing_the_name_does() -> None:
    assert sniff(b"a,b\n1,2", "table.csv") == "text/csv"
    assert sniff(b"%PDF-1.4", "table.csv") == "application/pdf"
