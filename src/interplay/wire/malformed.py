"""A body that is not JSON: what is wrong, and where."""

from __future__ import annotations

import re

import msgspec

from interplay.wire.fault import Fault, from_msgspec

_SCANNED = 256 * 1024
_TOO_DEEP = 256


def explain_bytes(raw: bytes) -> Fault:
    """The one fault of a body that is not JSON: what is wrong, with line, column and byte.

    Lines and columns count from 1 (columns in characters), bytes from 0.
    """
    if not raw.strip():
        return _bytes_fault("The body is empty; send a JSON object.")
    if raw.startswith(b"\xef\xbb\xbf"):
        return _bytes_fault("The body starts with a byte order mark; send plain UTF-8.")
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return _bytes_fault(f"The body is not UTF-8: {error.reason}{_where(raw, error.start)}.")
    try:
        msgspec.json.decode(raw)
    except msgspec.ValidationError as error:
        return from_msgspec((), error)
    except msgspec.DecodeError as error:
        return _malformed(raw, str(error))
    except RecursionError:
        return _too_deep(raw)
    return _bytes_fault("The body is JSON, but not the one expected here.")


def _bytes_fault(message: str) -> Fault:
    return Fault("", "invalid_request", message)


def _where(raw: bytes, offset: int) -> str:
    line = raw.count(b"\n", 0, offset) + 1
    start = raw.rfind(b"\n", 0, offset) + 1
    column = len(raw[start:offset].decode(errors="replace")) + 1
    return f" at line {line}, column {column} (byte {offset})"


def _malformed(raw: bytes, said: str) -> Fault:
    known = re.search(r"\(byte (\d+)\)", said)
    if known is None:
        if re.search(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}.{0,6}\Z", raw[-16:], re.DOTALL):
            return _surrogate(raw, raw.rfind(b"\\u", 0, len(raw)))
        return _bytes_fault(f"The body is not JSON: it ends too early{_where(raw, len(raw))}.")
    offset = min(int(known[1]), len(raw))
    if "surrogate" in said:
        return _surrogate(raw, max(raw.rfind(b"\\u", 0, offset), 0))
    what = said[: known.start()].removeprefix("JSON is malformed: ").strip()
    return _bytes_fault(f"The body is not JSON: {what}{_where(raw, offset)}.")


def _surrogate(raw: bytes, offset: int) -> Fault:
    return _bytes_fault(
        "The body is not JSON: half of a surrogate pair stands alone in a string"
        f"{_where(raw, offset)}."
    )


_STRUCTURE = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def _too_deep(raw: bytes) -> Fault:
    depth = 0
    for mark in _STRUCTURE.finditer(raw, 0, _SCANNED):
        if mark[0] in b"[{":
            depth += 1
            if depth > _TOO_DEEP:
                place = f": level {depth} opens{_where(raw, mark.start())}"
                return _bytes_fault(f"The body is nested too deeply{place}.")
        elif mark[0] in b"]}":
            depth -= 1
    return _bytes_fault("The body is nested too deeply.")
