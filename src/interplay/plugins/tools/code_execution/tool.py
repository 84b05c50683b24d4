"""The tool: one sandbox for each interaction, code in, words and images out."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import msgspec

from interplay.contracts.failure import Failure, Refused
from interplay.contracts.model import FunctionSpec
from interplay.contracts.sandbox import (
    Command,
    Exit,
    Limits,
    NoSuchFile,
    Sandbox,
    Sandboxes,
    SandboxGone,
)
from interplay.contracts.surroundings import Surroundings
from interplay.contracts.tool import CallSite, ToolCall
from interplay.plugins.tools.code_execution import plots
from interplay.wire.content import ImageContent, TextContent
from interplay.wire.deltas import CodeExecutionCallDelta, CodeExecutionResultDelta, DeltaData
from interplay.wire.steps import (
    CodeExecutionCallArguments,
    CodeExecutionCallStep,
    CodeExecutionResultStep,
    Step,
)
from interplay.wire.tools import CodeExecution as Declaration

_LANGUAGES = ("python", "bash")
_SPARE = 10.0
"""Seconds of a call that are left for starting and reading files."""
_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_DESCRIPTION = (
    "Runs code in an isolated machine without network and answers what it printed. Files stay in"
    " the working folder for later calls, variables do not. Images saved there are shown."
)


class CodeExecutionConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fields of `[tools.code_execution]` in settings. Sizes in bytes."""

    seconds: float = 60.0
    """One call; at most what `limits.tool_seconds` leaves."""
    memory_bytes: int = 1024 * 1024 * 1024
    """Of one interaction's sandbox, its files included."""
    processes: int = 128
    """At a time; threads count."""
    output_bytes: int = 256 * 1024
    """What one call may print; the rest is dropped, and the result says so."""
    disk_bytes: int = 256 * 1024 * 1024
    """Files of one interaction."""
    pictures: int = 4
    """Images that one call gives back."""
    picture_bytes: int = 3 * 1024 * 1024
    """All of them together."""
    idle_seconds: float = 300.0
    """A sandbox nobody used for so long ends, and its files with it."""


class _Held(msgspec.Struct):
    """The sandbox of one interaction."""

    sandbox: Sandbox
    turn: asyncio.Lock
    known: dict[str, int]
    idle: asyncio.TimerHandle | None = None


class CodeExecution:
    """Runs Python and bash for models, never outside of a sandbox."""

    Config: ClassVar[type[msgspec.Struct]] = CodeExecutionConfig
    serves: ClassVar[str] = "code_execution"
    repeatable: ClassVar[bool] = False

    def __init__(self, config: CodeExecutionConfig, surroundings: Surroundings) -> None:
        self._config, self._surroundings = config, surroundings
        self._held: dict[str, _Held] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        self._ending: set[asyncio.Task[None]] = set()

    async def offer(self, declaration: Declaration) -> list[FunctionSpec]:
        """One function. Raises interplay.contracts.sandbox.NoIsolation where nothing may run."""
        await self._sandboxes().ready()
        language = {"type": "string", "enum": list(_LANGUAGES), "description": "python if left out"}
        properties = {"code": {"type": "string"}, "language": language}
        parameters = {"type": "object", "properties": properties, "required": ["code"]}
        return [FunctionSpec(name=self.serves, description=_DESCRIPTION, parameters=parameters)]

    async def call(self, call: ToolCall, at: CallSite) -> AsyncIterator[Step | DeltaData]:
        """The code, then what it printed and the images it made; code that fails, takes too long
        or loses its sandbox is a result with `is_error`."""
        code, language = call.arguments.get("code"), call.arguments.get("language") or "python"
        shown = str(code or "")
        known: Any = language if language in _LANGUAGES else None
        yield CodeExecutionCallStep(CodeExecutionCallArguments(), id=call.id)
        yield CodeExecutionCallDelta(CodeExecutionCallArguments(code=shown, language=known))
        try:
            if not isinstance(code, str) or not code.strip() or known is None:
                raise Refused("Give `code` as a text, and `language` as 'python' or 'bash'.")
            text, images, failed = await self._run(code, known, at)
        except Failure as failure:
            text, images, failed = failure.message, [], True
        if images:
            # No delta holds images beside words: the step comes as a whole.
            result: list[Any] = [*([TextContent(text)] if text else []), *images]
            yield CodeExecutionResultStep(call.id, result, is_error=failed)
            return
        yield CodeExecutionResultStep(call.id, "")
        yield CodeExecutionResultDelta(text, is_error=failed)

    async def close(self) -> None:
        """Ends every sandbox."""
        for interaction in list(self._held):
            await self._drop(interaction)
        await asyncio.gather(*self._ending)

    def _sandboxes(self) -> Sandboxes:
        return self._surroundings.sandbox()

    async def _run(
        self, code: str, language: str, at: CallSite
    ) -> tuple[str, list[ImageContent], bool]:
        held = await self._of(at.interaction_id)
        async with held.turn:
            self._rest(held)
            try:
                text, failed = await self._ran(held.sandbox, code, language, at.timeout)
                images, note = await self._images(held)
            except SandboxGone as error:
                await self._drop(at.interaction_id)
                raise SandboxGone(
                    f"{error.message} Files of earlier calls are lost; the next call has a fresh"
                    " sandbox."
                ) from error
            except asyncio.CancelledError:
                await self._drop(at.interaction_id)
                raise
            self._wake(at.interaction_id, held)
        return "\n".join(part for part in (text, note) if part), images, failed

    async def _ran(
        self, sandbox: Sandbox, code: str, language: str, timeout: float
    ) -> tuple[str, bool]:
        seconds = max(1.0, min(self._config.seconds, timeout - _SPARE))
        program = [sandbox.python, "-"] if language == "python" else ["bash", "-s"]
        env = {"MPLBACKEND": f"module://{plots.MODULE}", "PYTHONPATH": "/tmp:/opt/packages"}
        command = Command(argv=program, stdin=code.encode(), env=env, seconds=seconds)
        said = bytearray()
        end = Exit(reason="killed")
        async for piece in sandbox.exec(command):
            if isinstance(piece, Exit):
                end = piece
            else:
                said += piece.data
        return _told(said.decode(errors="replace"), end, seconds, self._config.output_bytes)

    async def _images(self, held: _Held) -> tuple[list[ImageContent], str]:
        """Images that are new or changed, and what is said of those that are left out."""
        images: list[ImageContent] = []
        left, dropped = self._config.picture_bytes, 0
        files = await held.sandbox.list()
        for file in sorted(files, key=lambda file: file.changed):
            if held.known.get(file.path) == file.changed:
                continue
            if not file.path.lower().endswith(_SUFFIXES):
                continue
            if len(images) == self._config.pictures or file.size > left:
                dropped += 1
                continue
            try:
                data = await held.sandbox.read(file.path, left)
            except NoSuchFile:
                continue
            mime = _mime(data)
            if mime is not None:
                left -= len(data)
                images.append(ImageContent(data=b64encode(data).decode(), mime_type=mime))
        held.known = {file.path: file.changed for file in files}
        return images, f"[{dropped} more images are not shown]" if dropped else ""

    async def _of(self, interaction: str) -> _Held:
        lock = self._opening.setdefault(interaction, asyncio.Lock())
        try:
            async with lock:
                held = self._held.get(interaction)
                if held is None:
                    held = _Held(await self._opened(), asyncio.Lock(), {})
                    self._held[interaction] = held
                    self._wake(interaction, held)
                return held
        finally:
            self._opening.pop(interaction, None)

    async def _opened(self) -> Sandbox:
        config = self._config
        sandbox = await self._sandboxes().open(
            Limits(
                seconds=config.seconds,
                memory_bytes=config.memory_bytes,
                processes=config.processes,
                output_bytes=config.output_bytes,
                disk_bytes=config.disk_bytes,
                file_bytes=config.disk_bytes,
            )
        )
        await sandbox.write(f"/tmp/{plots.MODULE}.py", plots.SOURCE)
        return sandbox

    def _rest(self, held: _Held) -> None:
        if held.idle is not None:
            held.idle.cancel()
            held.idle = None

    def _wake(self, interaction: str, held: _Held) -> None:
        """Begins to count the time nobody uses it."""
        self._rest(held)

        def over() -> None:
            task = asyncio.ensure_future(self._drop(interaction))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

        loop = asyncio.get_running_loop()
        held.idle = loop.call_later(self._config.idle_seconds, over)

    async def _drop(self, interaction: str) -> None:
        held = self._held.pop(interaction, None)
        if held is not None:
            self._rest(held)
            await held.sandbox.close()


def _told(said: str, end: Exit, seconds: float, most: int) -> tuple[str, bool]:
    """What is shown of a run, and whether it failed."""
    notes: list[str] = []
    if end.truncated:
        notes.append(f"[the output was cut at {most} bytes]")
    if end.reason == "timeout":
        notes.append(f"[ended after {seconds:g} s]")
    elif end.reason == "killed":
        notes.append(f"[killed by signal {end.code}, perhaps for its memory]")
    elif end.code:
        notes.append(f"[exit code {end.code}]")
    failed = end.reason != "exited" or end.code != 0
    return "\n".join(part for part in (said.rstrip("\n"), *notes) if part), failed


def _mime(data: bytes) -> str | None:
    """What an image is by its bytes; None for what is none."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None
