"""Following JSON text as it is written."""

from __future__ import annotations


class Scan:
    """Knows how deep the text is nested, and when its outermost value has ended."""

    def __init__(self) -> None:
        self.depth = 0
        self.ended = False
        self._quoted = False
        self._escaped = False

    def step(self, char: str) -> None:
        """Takes the next character."""
        if self._escaped:
            self._escaped = False
        elif self._quoted:
            self._escaped = char == "\\"
            self._quoted = char != '"'
        elif char == '"':
            self._quoted = True
        elif char in "{[":
            self.depth += 1
        elif char in "}]":
            self.depth -= 1
            self.ended = self.depth == 0

    def until_end(self, text: str) -> str:
        """As much of the text as belongs to the outermost value; all of a value that has no
        brackets, whose end cannot be seen."""
        for index, char in enumerate(text):
            if self.ended:
                return text[:index]
            self.step(char)
        return text


class Elements:
    """Cuts the text of a JSON array of objects into its elements."""

    def __init__(self) -> None:
        self._scan = Scan()
        self._held = ""

    @property
    def ended(self) -> bool:
        """The array is complete."""
        return self._scan.ended

    def cut(self, text: str) -> list[str]:
        """The elements that this text completes."""
        whole: list[str] = []
        for char in text:
            before = self._scan.depth
            self._scan.step(char)
            if before >= 2 or self._scan.depth >= 2:
                self._held += char
                if self._scan.depth == 1:
                    whole.append(self._held)
                    self._held = ""
        return whole
