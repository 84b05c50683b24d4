"""The process that holds a loaded model; run as a script, it imports nothing of Interplay.

Loading keeps Python's lock for seconds, and a processor the runtime was not built for ends the
process: neither may happen to the server. The talk is JSON lines. In: first the fit, then
`{"id", "body"}` for each generation and `{"stop": id}`. Out: `{"ready": true}`, then lines with
the `id` of their generation, the last of them with `end`. The end of the input ends the process.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

BATCH = 64
"""Prompt tokens between two looks at whether the caller is still there; smaller costs speed."""
PROMPT_CACHE_MIB = 512
"""Memory for the prompts of conversations that lost their slot."""


class Outlet:
    """Lines to the server, from any thread."""

    def __init__(self, out: IO[bytes]):
        self._out = out
        self._lock = threading.Lock()

    def send(self, line: dict[str, Any]) -> None:
        """Writes one line; the process ends when nobody reads any more."""
        data = json.dumps(line).encode() + b"\n"
        try:
            with self._lock:
                self._out.write(data)
                self._out.flush()
        except OSError:
            os._exit(0)


def load(xllamacpp: Any, fit: dict[str, Any]) -> Any:
    """The runtime with the model loaded. Its HTTP server, which comes along, is shut to all."""
    params = xllamacpp.CommonParams()
    params.model.path = fit["path"]
    params.n_ctx = fit["context_tokens"] * fit["parallel"]
    params.n_parallel = fit["parallel"]
    params.n_batch = BATCH
    params.cpuparams.n_threads = fit["threads"]
    params.cpuparams_batch.n_threads = fit["threads"]
    params.cache_ram_mib = PROMPT_CACHE_MIB
    params.warmup = False
    params.verbosity = 0
    params.ui = False
    params.endpoint_slots = False
    params.api_keys = [secrets.token_urlsafe(32)]
    return xllamacpp.Server(params)


class Generations:
    """Runs generations and takes note of those that are to stop."""

    def __init__(self, server: Any, outlet: Outlet, parallel: int):
        self._server = server
        self._outlet = outlet
        self._threads = ThreadPoolExecutor(parallel)
        self._stopped: set[int] = set()

    def start(self, id: int, body: dict[str, Any]) -> None:
        """Begins one; its lines follow, `end` last."""
        self._threads.submit(self._run, id, body)

    def stop(self, id: int) -> None:
        """Ends one at its next token, or the next batch of its prompt."""
        self._stopped.add(id)

    def _run(self, id: int, body: dict[str, Any]) -> None:
        end: dict[str, Any] = {"id": id, "end": True}

        def receive(chunk: dict[str, Any]) -> bool:
            if id in self._stopped:
                return True
            if error := chunk.get("error"):
                end.update(error=error)
                return True
            if line := digest(chunk):
                self._outlet.send({"id": id, **line})
            return False

        try:
            if id not in self._stopped:
                self._server.handle_chat_completions(body, receive)
        except ValueError as error:
            end.update(error={"code": 400, "message": str(error)})
        except RuntimeError as error:
            end.update(error={"code": 500, "message": str(error)})
        self._stopped.discard(id)
        self._outlet.send(end)


def digest(chunk: dict[str, Any]) -> dict[str, Any]:
    """What the server needs of a chunk; empty for one that says nothing new."""
    line: dict[str, Any] = {}
    for choice in chunk.get("choices", ()):
        delta = choice["delta"]
        if text := delta.get("content"):
            line["text"] = text
        if thought := delta.get("reasoning_content"):
            line["thought"] = thought
        if choice["finish_reason"]:
            line["finish"] = choice["finish_reason"]
    if line and (timings := chunk.get("timings")):
        line["cached"] = timings["cache_n"]
        line["prompt"] = timings["cache_n"] + timings["prompt_n"]
        line["written"] = timings["predicted_n"]
    return line


def main() -> None:
    """Loads what the first line says and serves until the input ends."""
    outlet = Outlet(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)  # what the runtime prints is no part of the talk
    fit = json.loads(sys.stdin.buffer.readline())
    try:
        import xllamacpp  # pyright: ignore[reportMissingTypeStubs]
    except ImportError:
        outlet.send({"missing": True})
        return
    try:
        server = load(xllamacpp, fit)
    except (RuntimeError, ValueError) as error:
        outlet.send({"failed": str(error)})
        return
    outlet.send({"ready": True})
    generations = Generations(server, outlet, fit["parallel"])
    for raw in sys.stdin.buffer:
        line = json.loads(raw)
        if "stop" in line:
            generations.stop(line["stop"])
        else:
            generations.start(line["id"], line["body"])
    os._exit(0)  # a generation under way need not finish


if __name__ == "__main__":
    main()
