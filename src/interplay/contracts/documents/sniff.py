"""What a body really is, from its bytes; what the server called it counts only for text."""

from __future__ import annotations

import codecs
import re
from typing import Literal

import msgspec

Form = Literal["html", "text", "pdf", "image", "other", "empty"]

_IMAGES = [
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
]
_OTHERS = [
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"%!PS", "application/postscript"),
    (b"\x7fELF", "application/x-executable"),
]
_BOMS = [
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]
# Atomic: comments behind comments could be divided in more ways than there is time for.
_MARKUP = re.compile(
    rb"(?>(?:\s|(?><!--.{0,2000}?-->)|<\?xml[^>]{0,200}>)*)"
    rb"<(?:!doctype\s+html|html|head|body|title|meta|script|h1|div|p|table|article)[\s>/]",
    re.IGNORECASE | re.DOTALL,
)
_META = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([a-z0-9_:.-]{2,40})", re.IGNORECASE)
# fmt: off
_CHARSETS = [
    "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "iso8859-2", "iso8859-3", "iso8859-4",
    "iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8", "iso8859-9", "iso8859-10", "iso8859-13",
    "iso8859-14", "iso8859-15", "iso8859-16", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254",
    "cp1255", "cp1256", "cp1257", "cp1258", "cp866", "cp874", "tis-620", "koi8-r", "koi8-u",
    "mac-roman", "mac-cyrillic", "gb2312", "gbk", "gb18030", "big5", "big5hkscs", "euc_jp",
    "iso2022_jp", "shift_jis", "cp932", "euc_kr", "cp949",
]
# fmt: on

_ALLOWED = frozenset(codecs.lookup(name).name for name in _CHARSETS)
_NOT_UTF8 = ("iso2022_jp", "utf-16", "utf-16-le", "utf-16-be", "utf-32")


class Sniffed(msgspec.Struct, frozen=True):
    """Form and media type; for text also the charset the server or the document named."""

    form: Form
    mime_type: str
    charset: str | None = None


def sniff(body: bytes, declared: str) -> Sniffed:
    """`declared` is the Content-Type as it was sent, "" for none."""
    mime = declared.partition(";")[0].strip().lower()[:100]
    if not body:
        return Sniffed("empty", mime)
    if b"%PDF-" in body[:1024]:
        return Sniffed("pdf", "application/pdf")
    for mark, kind in _IMAGES:
        if body.startswith(mark):
            return Sniffed("image", kind)
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return Sniffed("image", "image/webp")
    for mark, kind in _OTHERS:
        if body.startswith(mark):
            return Sniffed("other", kind)
    head = body[:4096]
    charset = _charset(declared, head)
    if (
        not any(body.startswith(bom) for bom, _ in _BOMS)
        and charset not in _NOT_UTF8
        and _raw(head)
    ):
        known = mime if mime and not mime.startswith("text/") else "application/octet-stream"
        return Sniffed("other", known)
    if mime in ("text/html", "application/xhtml+xml") or _MARKUP.match(head):
        return Sniffed("html", "text/html", charset)
    plain = mime.startswith("text/") or mime.endswith(("json", "xml", "yaml", "javascript"))
    if not plain:
        mime = "application/json" if head.lstrip()[:1] in (b"{", b"[") else "text/plain"
    return Sniffed("text", mime, charset)


def decode(body: bytes, charset: str | None, *, cut: bool = False) -> str:
    """Text, by its byte order mark, as UTF-8 where it is, as what it is called, or as
    windows-1252. What fits none is replaced; of a body that was `cut`, half a character at the
    end is left out."""
    for bom, name in _BOMS:
        if body.startswith(bom):
            return _decoded(body, name, "replace", cut)
    if charset not in _NOT_UTF8:
        try:
            return _decoded(body, "utf-8", "strict", cut)
        except UnicodeDecodeError:
            pass
    known = "cp1252" if charset is None or charset == "utf-8" else charset
    return _decoded(body, known, "replace", cut)


def _decoded(body: bytes, charset: str, errors: str, cut: bool) -> str:
    return codecs.getincrementaldecoder(charset)(errors).decode(body, not cut)


def _raw(head: bytes) -> bool:
    """Whether these are no bytes of a text."""
    control = sum(byte < 32 and byte not in b"\t\n\r\x0c\x1b" for byte in head)
    return b"\0" in head or control * 50 > len(head)


def _charset(declared: str, head: bytes) -> str | None:
    """The charset that is named, of those that are safe to decode."""
    found = re.search(r"charset\s*=\s*[\"']?([^\s\"';]{2,40})", declared, re.IGNORECASE)
    names = [found[1]] if found else []
    meta = _META.search(head)
    names += [meta[1].decode("ascii")] if meta else []
    for name in names:
        try:
            known = codecs.lookup(name).name
        except (LookupError, UnicodeError):
            continue
        if known in ("iso8859-1", "ascii"):
            return "cp1252"  # as browsers have it
        if known in _ALLOWED:
            return known
    return None
