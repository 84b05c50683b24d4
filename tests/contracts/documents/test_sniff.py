"""Bytes say what a document is."""

from __future__ import annotations

import time
import zlib

import pytest

from interplay.contracts.documents.sniff import decode, sniff

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


@pytest.mark.parametrize(
    ("body", "declared", "form", "mime"),
    [
        (b"%PDF-1.7 ...", "text/html", "pdf", "application/pdf"),
        (b"\n\n%PDF-1.4", "", "pdf", "application/pdf"),
        (PNG, "text/plain", "image", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/png", "image", "image/jpeg"),
        (b"GIF89a...", "", "image", "image/gif"),
        (b"RIFF\x01\x02\x03\x04WEBPVP8 ", "", "image", "image/webp"),
        (b"<!DOCTYPE html><p>x", "application/pdf", "html", "text/html"),
        (b"  <!-- a --> <HTML lang=de>", "text/plain", "html", "text/html"),
        (b"words", "text/html; charset=utf-8", "html", "text/html"),
        (b"# Title", "text/markdown", "text", "text/markdown"),
        (b'{"a": 1}', "application/octet-stream", "text", "application/json"),
        (b"[1]", "application/json", "text", "application/json"),
        (b"a <p> in words", "", "text", "text/plain"),
        (b"<rss><item/></rss>", "application/rss+xml", "text", "application/rss+xml"),
        (b"PK\x03\x04abc", "text/html", "other", "application/zip"),
        (zlib.compress(b"x" * 99) + b"\0", "text/html", "other", "application/octet-stream"),
        (b"\0\0\0 ftypmp42", "video/mp4", "other", "video/mp4"),
        ("Größe".encode("utf-16"), "text/plain", "text", "text/plain"),
        ("Größe".encode("utf-16-le"), "text/plain; charset=UTF-16LE", "text", "text/plain"),
        (b"", "text/html", "empty", "text/html"),
    ],
)
def test_the_bytes_count_and_not_what_the_server_says(
    body: bytes, declared: str, form: str, mime: str
):
    found = sniff(body, declared)
    assert (found.form, found.mime_type) == (form, mime)


@pytest.mark.parametrize(
    ("body", "declared"),
    [
        ("Größe €", "utf-8"),
        ("Größe", "iso-8859-1"),
        ("Größe €", "windows-1252"),
        ("Привет", "windows-1251"),
        ("Привет", "koi8-r"),
        ("こんにちは", "shift_jis"),
        ("こんにちは", "euc-jp"),
        ("こんにちは", "iso-2022-jp"),
        ("你好", "gb18030"),
        ("안녕", "euc-kr"),
        ("Größe", "utf-16"),
        ("Größe", "utf-16-be"),
    ],
)
def test_text_is_read_in_its_charset(body: str, declared: str):
    raw = body.encode(declared)
    for named in (f'text/plain; charset="{declared}"', f"text/html;charset={declared.upper()}"):
        assert decode(raw, sniff(raw, named).charset) == body


def test_a_document_names_its_charset_itself():
    page = '<html><head><meta charset="windows-1251"><body>Привет'.encode("cp1251")
    assert decode(page, sniff(page, "text/html").charset).endswith("Привет")


def test_a_wrong_charset_does_not_spoil_utf8():
    assert (
        decode("Größe".encode(), sniff("Größe".encode(), "text/html; charset=latin1").charset)
        == "Größe"
    )


def test_a_charset_that_lies_or_is_none_costs_only_its_own_letters():
    raw = b"caf\xe9"
    assert decode(raw, sniff(raw, "text/plain; charset=utf-8").charset) == "café"
    assert decode(raw, sniff(raw, "text/plain; charset=nonsense").charset) == "café"
    assert decode(b"\xff\xfea\0b", None) == "a\ufffd"


@pytest.mark.parametrize("name", ["unicode_escape", "punycode", "idna", "rot13", "zlib", "utf-7"])
def test_charsets_that_are_none_of_the_web_are_not_decoded(name: str):
    assert sniff(b"+AGEAYg-", f"text/plain; charset={name}").charset is None


def test_a_character_that_was_cut_off_is_left_out():
    assert decode("Größe".encode()[:3], None, cut=True) == "Gr"
    assert decode("Größe".encode("utf-16")[:5], None, cut=True) == "G"


def test_comments_behind_comments_are_passed_in_no_time():
    began = time.monotonic()
    assert sniff(b"<!---->" * 600 + b"x", "").form == "text"
    assert time.monotonic() - began < 1
