"""Events told on a terminal while they come: text as it is written, tools as they are called."""

from __future__ import annotations

import json
from typing import Any, TextIO

from interplay.cli.plain import fields, objects
from interplay.cli.reading import Reading
from interplay.cli.steps import citation_line, content_line, tool_line
from interplay.cli.terminal import Paint, clean, width

_MEDIA = ("image", "audio", "document", "video")


class Narration:
    """Tells one stream. The model's text goes to `out`, everything else to `aside`.

    Where `out` is no terminal the text is passed on exactly as it came; on a terminal control
    characters are made visible. `reading` holds what was told so far.
    """

    def __init__(
        self, out: TextIO, aside: TextIO, *, thoughts: bool = False, tools: bool = True
    ) -> None:
        self.reading = Reading()
        self.told_faults = 0
        self._out, self._aside = out, aside
        self._paint_out, self._paint = Paint(out), Paint(aside)
        self._thoughts, self._tools = thoughts, tools
        self._shared = out is aside or (self._paint_out.live and self._paint.live)
        self._partial: list[TextIO] = []
        self._waiting = False
        self._citations: dict[str, None] = {}

    def comment(self, text: str) -> None:
        """What the server says while nothing else is to be heard; only a terminal shows it."""
        if text != "keep-alive" and self._paint.live and not self._partial:
            self._aside.write("\r\x1b[K" + self._paint("dim", f"… {clean(text)}"))
            self._aside.flush()
            self._waiting = True

    def event(self, event: dict[str, Any]) -> None:
        """Tells one event."""
        self.reading.take(event)
        self._clear()
        index = event.get("index", 0)
        match event.get("event_type"):
            case "step.start":
                self._start(fields(event.get("step")))
            case "step.delta":
                self._delta(index, fields(event.get("delta")))
            case "step.stop":
                self._stop(index)
            case "error":
                for fault in self.reading.faults[self.told_faults :]:
                    self.say(fault, "red")
                self.told_faults = len(self.reading.faults)
            case _:
                pass

    def finish(self) -> None:
        """Ends the line that is open and lists what was cited."""
        self._clear()
        self._end_lines()
        for number, line in enumerate(self._citations, start=1):
            self.say(f"[{number}] {line}", "dim")
        self._citations = {}
        self._out.flush()
        self._aside.flush()

    def say(self, line: str, style: str = "dim") -> None:
        """One line beside the text; it breaks a line of text only where both share a screen."""
        self._clear()
        self._end_lines(None if self._shared else self._aside)
        self._aside.write(self._paint(style, clean(line)) + "\n")
        self._aside.flush()

    def _start(self, step: dict[str, Any]) -> None:
        kind = step.get("type")
        if kind == "user_input":
            for block in objects(step.get("content")):
                self.say(f"> {content_line(block)}", "green")
        elif kind == "model_output":
            self._end_lines(self._out)
            for block in objects(step.get("content")):
                self._content(block)

    def _delta(self, index: int, delta: dict[str, Any]) -> None:
        kind = str(delta.get("type") or "")
        if kind == "text":
            self._text(str(delta.get("text") or ""))
        elif kind == "thought_summary":
            if self._thoughts:
                self._thought(str(fields(delta.get("content")).get("text") or ""))
        elif kind in _MEDIA:
            self.say(content_line(delta))
        elif kind == "text_annotation_delta":
            for mark in objects(delta.get("annotations")):
                if line := citation_line(mark):
                    self._citations[line] = None
        elif kind not in ("", "arguments_delta", "thought_signature") and self._tools:
            self._tool(kind, {**self.reading.step(index), **delta})

    def _stop(self, index: int) -> None:
        kind = self.reading.kind(index)
        if kind == "function_call" and self._tools:
            asked = next((c for c in self.reading.calls if c.id == self._id(index)), None)
            if asked is not None:
                self._tool(kind, {"name": asked.name, "arguments": asked.arguments})
        elif kind == "thought":
            self._end_lines(self._aside)

    def _id(self, index: int) -> Any:
        return self.reading.step(index).get("id")

    def _tool(self, kind: str, facts: dict[str, Any]) -> None:
        style = "red" if facts.get("is_error") else "cyan"
        self.say("· " + tool_line(kind, facts, width() - 2), style)

    def _content(self, block: dict[str, Any]) -> None:
        if block.get("type") == "text":
            self._text(str(block.get("text") or ""))
        else:
            self.say(content_line(block))

    def _text(self, text: str) -> None:
        self._write(self._out, clean(text) if self._paint_out.live else text)

    def _thought(self, text: str) -> None:
        self._write(self._aside, clean(text), "dim")

    def _write(self, stream: TextIO, text: str, style: str = "") -> None:
        """Text of which more may follow on the same line."""
        if not text:
            return
        stream.write(self._paint(style, text) if style else text)
        stream.flush()
        if stream in self._partial:
            self._partial.remove(stream)
        if not text.endswith("\n"):
            self._partial.append(stream)

    def _end_lines(self, only: TextIO | None = None) -> None:
        for stream in [s for s in self._partial if only is None or s is only]:
            stream.write("\n")
            stream.flush()
            self._partial.remove(stream)

    def _clear(self) -> None:
        if self._waiting:
            self._aside.write("\r\x1b[K")
            self._aside.flush()
            self._waiting = False


class EventLines(Narration):
    """Tells a stream to a program: each event as it came, a line of JSON each, on `out`."""

    def event(self, event: dict[str, Any]) -> None:
        """Writes one event."""
        self.reading.take(event)
        self._clear()
        self._out.write(json.dumps(event, ensure_ascii=False) + "\n")
        self._out.flush()
