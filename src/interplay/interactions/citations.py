"""What a model cites by number -> annotations on its text.

Tools number their sources (interplay.contracts.shown); a model writes `[3]` behind what it takes
from the third one. The marks stay in the text: it is the model's own, and a reader of plain text
can follow them. An annotation covers the statement in front of the marks. What a model does not
cite is not annotated: who would guess could be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from interplay.contracts import shown
from interplay.contracts.shown import Source
from interplay.wire.steps import Step

_MARKS = re.compile(r"\[(\d{1,5}(?:[ \t]*[,;][ \t]*\d{1,5})*)\](?:\(([^()\s]*)\))?(?!:)")
_CODE = re.compile(r"(?s)(`{3,}|~{3,})(?:.*?)(?:\1|\Z)|`[^`\n]*`")
_BREAK = re.compile(r"\n|[.!?…][\"'”’)»*_]*[ \t]+|[。！？]")  # noqa: RUF001
_LEAD = re.compile(r"[\s.,;:!?)…]*(?:(?:[-*+•>]|#{1,6}|\d{1,3}[.)])[ \t]+)*")
_JSON = ("{", "[")


class Sources:
    """The numbered sources of one conversation; the last that has a number is the one meant.

    `steps` are lists that may still grow: they are read as far as they go when it matters.
    """

    def __init__(self, *steps: Sequence[Step]) -> None:
        self._steps = steps
        self._read = [0] * len(steps)
        self._known: dict[int, Source] = {}

    @property
    def last(self) -> int:
        """The highest number there is; 0 when there is none."""
        return max(self._learned(), default=0)

    def _learned(self) -> dict[int, Source]:
        for place, steps in enumerate(self._steps):
            start, self._read[place] = self._read[place], len(steps)
            for step in steps[start:]:
                signature = getattr(step, "signature", None)
                if signature is not None and hasattr(step, "call_id"):
                    self._known.update(shown.sources(signature))
        return self._known

    def cited(self, text: str) -> list[Source]:
        """An annotation for each source a text cites, in the order of the text: byte offsets into
        its UTF-8, the end exclusive. Code, and a text that is JSON, cite nothing."""
        if "[" not in text or not (known := self._learned()) or _is_json(text):
            return []
        plain = _CODE.sub(lambda code: "\0" * len(code[0]), text)
        found: list[Source] = []
        behind = counted = offset = 0
        for first, end, numbers in _groups(plain, known):
            start, stop = _statement(plain, behind, first)
            behind = end
            if start == stop:
                continue
            begin = offset + len(text[counted:start].encode())
            counted, offset = stop, begin + len(text[start:stop].encode())
            found += [
                msgspec.structs.replace(known[number], start_index=begin, end_index=offset)
                for number in numbers
            ]
        return found


def _groups(plain: str, known: dict[int, Source]) -> Sequence[tuple[int, int, list[int]]]:
    """Marks that stand side by side: where the first begins, where the last ends, and which
    known numbers they name."""
    groups: list[tuple[int, int, list[int]]] = []
    for mark in _MARKS.finditer(plain):
        numbers = [int(word) for word in re.findall(r"\d+", mark[1])]
        numbers = [number for number in numbers if number in known]
        if mark[2] is not None:  # a link of the model's own: of ours when it leads there
            numbers = [n for n in numbers if getattr(known[n], "url", None) == mark[2]]
        if not numbers:
            continue
        if groups and not plain[groups[-1][1] : mark.start()].strip(" \t,;"):
            first, _, before = groups.pop()
            numbers = list(dict.fromkeys([*before, *numbers]))
            groups.append((first, mark.end(), numbers))
        else:
            groups.append((mark.start(), mark.end(), list(dict.fromkeys(numbers))))
    return groups


def _statement(plain: str, behind: int, first: int) -> tuple[int, int]:
    """Where the sentence in front of a mark begins and ends; the same twice when there is none.
    `behind` is the end of the marks before: what they cover is not covered again."""
    line = plain.rfind("\n", behind, first) + 1
    behind = max(behind, line)
    end = behind + len(plain[behind:first].rstrip())
    start = behind
    for found in _BREAK.finditer(plain, behind, end):
        start = found.end()
    lead = _LEAD.match(plain, start, end)
    start = lead.end() if lead else start
    if not any(c.isalnum() for c in plain[start:end]):
        return end, end
    return start, end


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(_JSON):
        return False
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
