"""Thoughts that stand in the text itself, between two marks."""

from __future__ import annotations


class Marks:
    """Tells thought from text where a server sends both in one field.

    A mark may come torn over several deltas. Whitespace right after a mark is dropped: models put
    it there for the mark's sake.
    """

    def __init__(self, opening: str, closing: str, inside: bool) -> None:
        self._marks = (opening, closing)
        self._inside = inside
        self._held = ""
        self._trim = False

    def feed(self, text: str) -> list[tuple[bool, str]]:
        """Adds text and answers its parts: whether it is a thought, and the words."""
        parts: list[tuple[bool, str]] = []
        text = self._held + text
        self._held = ""
        while text:
            mark = self._marks[self._inside]
            at = text.find(mark)
            if at < 0:
                keep = _overlap(text, mark)
                self._held = text[len(text) - keep :]
                self._add(parts, text[: len(text) - keep])
                break
            self._add(parts, text[:at])
            text = text[at + len(mark) :]
            self._inside = not self._inside
            self._trim = True
        return parts

    def end(self) -> list[tuple[bool, str]]:
        """What is still held: the start of a mark that never came whole."""
        parts: list[tuple[bool, str]] = []
        held, self._held = self._held, ""
        self._add(parts, held)
        return parts

    def _add(self, parts: list[tuple[bool, str]], text: str) -> None:
        if self._trim:
            text = text.lstrip()
        if text:
            self._trim = False
            parts.append((self._inside, text))


def _overlap(text: str, mark: str) -> int:
    """How many characters at the end of the text may be the start of the mark."""
    for size in range(min(len(text), len(mark) - 1), 0, -1):
        if mark.startswith(text[-size:]):
            return size
    return 0
