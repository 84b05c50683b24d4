"""One loaded model, held by a process of its own, and the generations that run on it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import msgspec

from interplay.contracts.failure import (
    Busy,
    Failure,
    NotInstalled,
    Refused,
    TimedOut,
    Unavailable,
)

_WORKER = Path(__file__).with_name("worker.py")


class Fit(msgspec.Struct, frozen=True):
    """How a file is to be loaded; equal fits share one loaded model."""

    path: str
    context_tokens: int
    threads: int
    parallel: int
    queue: int


class Emitted(msgspec.Struct):
    """What arrived since the last look, and how the generation stands."""

    text: str = ""
    thought: str = ""
    finish: str | None = None
    """None while it runs; then `stop` or `length`."""
    prompt: int = 0
    cached: int = 0
    written: int = 0
    """Tokens: of the prompt, of these from the cache, and written so far."""


class _Line(msgspec.Struct):
    """A line of the worker; see worker.py."""

    id: int | None = None
    ready: bool = False
    missing: bool = False
    failed: str | None = None
    text: str = ""
    thought: str = ""
    finish: str | None = None
    prompt: int = 0
    cached: int = 0
    written: int = 0
    error: dict[str, Any] | None = None
    end: bool = False


class _Inbox:
    """What has arrived for one generation and was not taken yet."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.failure: Failure | None = None
        self.finished = False
        self._lines: deque[_Line] = deque()

    def put(self, line: _Line) -> None:
        if line.error:
            self.failure = _refusal(line.error)
        if line.text or line.thought or line.finish:
            self._lines.append(line)
            self.finished = self.finished or line.finish is not None
        self.arrived.set()
        if line.end:
            self.end()

    def end(self, failure: Failure | None = None) -> None:
        self.failure = self.failure or failure
        self.arrived.set()
        if not self.ended.done():
            self.ended.set_result(None)

    def take(self) -> Emitted | None:
        """Everything at once; None when there is nothing."""
        self.arrived.clear()
        if not self._lines:
            return None
        last = self._lines[-1]
        into = Emitted(
            text="".join(line.text for line in self._lines),
            thought="".join(line.thought for line in self._lines),
            finish=last.finish,
            prompt=last.prompt,
            cached=last.cached,
            written=last.written,
        )
        self._lines.clear()
        return into


class Runtime:
    """A loaded model. Belongs to the event loop it was started on."""

    def __init__(self, fit: Fit, process: Process):
        self.fit = fit
        self._process = process
        self._free = fit.parallel
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._inboxes: dict[int, _Inbox] = {}
        self._numbers = 0
        self._gone: Failure | None = None
        self._listening: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, fit: Fit) -> Runtime:
        """Loads the model; takes seconds. Raises NotInstalled, Unavailable."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", str(_WORKER), stdin=PIPE, stdout=PIPE, start_new_session=True
        )
        runtime = cls(fit, process)
        try:
            runtime._send(msgspec.to_builtins(fit))
            line = await runtime._first_line()
        except BaseException:
            await runtime.close()
            raise
        if not line.ready:
            await runtime.close()
            raise _not_loaded(fit, line, process.returncode)
        runtime._listening = asyncio.create_task(runtime._listen())
        return runtime

    @property
    def alive(self) -> bool:
        """The process is there and takes generations."""
        return self._gone is None

    @contextlib.asynccontextmanager
    async def slot(self) -> AsyncGenerator[Slot]:
        """Waits for a slot, in order. Raises Busy when too many wait already."""
        if self._free > 0:
            self._free -= 1
        elif len(self._waiting) >= self.fit.queue:
            raise Busy(
                f"The model has {self.fit.parallel} turns under way and {self.fit.queue} waiting.",
                retry_after=5.0 * (1 + len(self._waiting) // self.fit.parallel),
            )
        else:
            await self._line_up()
        slot = Slot(self)
        try:
            yield slot
        finally:
            # A generation that was told to stop holds the slot until it has noticed.
            if slot.inbox is None or slot.inbox.ended.done():
                self._hand_on()
            else:
                slot.inbox.ended.add_done_callback(lambda _: self._hand_on())

    async def close(self) -> None:
        """Stops what runs and frees the memory."""
        self._gone = self._gone or Unavailable("The model is being shut down.")
        if self._listening is not None:
            self._listening.cancel()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        self._end_all(self._gone)

    def begin(self, body: dict[str, Any]) -> tuple[int, _Inbox]:
        """Starts a generation. Raises Unavailable when the process is gone."""
        if self._gone is not None:
            raise self._gone
        self._numbers += 1
        inbox = self._inboxes[self._numbers] = _Inbox()
        self._send({"id": self._numbers, "body": body})
        return self._numbers, inbox

    def stop(self, number: int) -> None:
        """Tells a generation to end; its inbox says when it has."""
        if self._gone is None:
            self._send({"stop": number})

    def _send(self, line: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(line) + b"\n")

    async def _first_line(self) -> _Line:
        assert self._process.stdout is not None
        raw = await self._process.stdout.readline()
        if not raw:
            await self._process.wait()
            return _Line()
        return msgspec.json.decode(raw, type=_Line)

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        decoder = msgspec.json.Decoder(_Line)
        rest = b""
        while data := await self._process.stdout.read(65_536):
            *lines, rest = (rest + data).split(b"\n")
            for raw in lines:
                line = decoder.decode(raw)
                if inbox := self._inboxes.get(line.id or 0):
                    inbox.put(line)
                    if line.end:
                        del self._inboxes[line.id or 0]
        status = await self._process.wait()
        self._gone = Unavailable(f"The process of the model ended ({_status(status)}).")
        self._end_all(self._gone)

    def _end_all(self, failure: Failure) -> None:
        for inbox in self._inboxes.values():
            inbox.end(failure)
        self._inboxes.clear()

    async def _line_up(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._hand_on()
            else:
                self._waiting.remove(turn)
            raise

    def _hand_on(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class Slot:
    """The right to run one generation at a time."""

    def __init__(self, runtime: Runtime):
        self.inbox: _Inbox | None = None
        self._runtime = runtime

    async def generate(self, body: dict[str, Any], deadline: float) -> AsyncGenerator[Emitted]:
        """Runs one chat completion and yields what has become ready since the last look.

        `deadline` is in the loop's time. Closing the iterator stops the decoding at the next
        token, or at the next batch of the prompt. Raises Refused for a request the runtime will
        not take, TimedOut, and Unavailable.
        """
        asked = body | {"stream": True, "return_progress": True, "timings_per_token": True}
        number, inbox = self._runtime.begin(asked)
        self.inbox = inbox
        try:
            while not inbox.ended.done():
                async with asyncio.timeout_at(deadline):
                    await inbox.arrived.wait()
                if ready := inbox.take():
                    yield ready
            if ready := inbox.take():
                yield ready
            if inbox.failure:
                raise inbox.failure
            if not inbox.finished:
                raise Unavailable("The model ended its turn without an answer.")
        except TimeoutError as error:
            raise TimedOut("The model did not finish its turn in the time it has.") from error
        finally:
            if not inbox.ended.done():
                self._runtime.stop(number)


class Share:
    """One runtime for every model entry with the same fit: loaded once, freed with the last."""

    _all: dict[tuple[Fit, asyncio.AbstractEventLoop], Share] = {}

    def __init__(self, fit: Fit):
        self._fit = fit
        self._holders = 0
        self._loading: asyncio.Task[Runtime] | None = None

    @classmethod
    def of(cls, fit: Fit) -> Share:
        """The share of this fit, held by the caller until `release`."""
        share = cls._all.setdefault((fit, asyncio.get_running_loop()), cls(fit))
        share._holders += 1
        return share

    async def runtime(self) -> Runtime:
        """The runtime; loaded now when it is not there, or not any more."""
        if self._loading is None or useless(self._loading):
            self._loading = asyncio.create_task(Runtime.start(self._fit))
        return await asyncio.shield(self._loading)

    async def release(self) -> None:
        """Lets go; the last holder frees the model."""
        self._holders -= 1
        if self._holders:
            return
        self._all.pop((self._fit, asyncio.get_running_loop()), None)
        if self._loading is not None:
            self._loading.cancel()
            with contextlib.suppress(asyncio.CancelledError, Failure):
                await (await self._loading).close()


def useless(loading: asyncio.Task[Runtime]) -> bool:
    """The load failed, or what it loaded is gone."""
    if not loading.done():
        return False
    return loading.cancelled() or loading.exception() is not None or not loading.result().alive


def _not_loaded(fit: Fit, line: _Line, status: int | None) -> Failure:
    if line.missing:
        return NotInstalled(
            "Models beside the server need a package that is not installed:"
            " pip install 'interplay[local]'"
        )
    why = line.failed or f"its process ended ({_status(status)})"
    return Unavailable(f"'{Path(fit.path).name}' cannot be loaded: {why}.")


def _status(status: int | None) -> str:
    if status == -9:
        return "killed; was there enough memory?"
    if status == -4:
        return "illegal instruction; the runtime needs a processor with AVX2"
    return f"signal {-status}" if status is not None and status < 0 else f"status {status}"


def _refusal(error: dict[str, Any]) -> Failure:
    message = str(error.get("message", error))
    if error.get("type") == "exceed_context_size_error":
        return Refused(
            f"The conversation has {error['n_prompt_tokens']} tokens and the model takes"
            f" {error['n_ctx']}. Shorten it, or raise the model's context_tokens."
        )
    if "JSON schema error" in message:
        fault = message.partition("JSON schema error ")[2]
        return Refused(f"The JSON schema cannot be used: {fault}")
    if int(error.get("code", 500)) < 500:
        return Refused(f"The model runtime refuses the request: {message}")
    return Unavailable(f"The model runtime failed: {message}")
