"""One model of the catalogue in this process: loaded at first use, run in threads of its own."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from interplay.contracts.failure import NotInstalled, Unavailable
from interplay.plugins.models import catalogue

_T = TypeVar("_T")
_NEEDED = ("onnxruntime", "tokenizers", "numpy")
_BATCH_TOKENS = 512
"""Of one run, the filling of short texts included: bounds its memory, and more is slower."""


class Session:
    """A model and its tokenizer.

    Built, it has checked that everything is there. Raises NotInstalled saying what to install or
    to fetch. `threads` are those of one run; there are two lanes, so that what is urgent does not
    wait for what is not.
    """

    def __init__(self, name: str, cache: Path, threads: int, tokens: int) -> None:
        missing = [part for part in _NEEDED if find_spec(part) is None]
        if missing:
            raise NotInstalled(
                f"'{name}' needs {' and '.join(missing)}: pip install 'interplay[search]'"
            )
        entry = catalogue.find(name)
        path = catalogue.present(entry, cache) if entry.kind == "onnx" else None
        if path is None:
            raise NotInstalled(f"'{name}' is not here: interplay models pull {name}")
        self.name, self._entry, self._path = name, entry, path
        self._threads, self._tokens = threads or max(1, min(4, (os.cpu_count() or 2) // 2)), tokens
        self._lanes = {
            urgent: ThreadPoolExecutor(1, thread_name_prefix=f"onnx-{name}")
            for urgent in (True, False)
        }
        self._loading = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None

    async def run(self, work: Callable[[], _T], *, urgent: bool) -> _T:
        """Does something in a lane. Raises Unavailable when the model cannot be loaded."""
        return await asyncio.get_running_loop().run_in_executor(self._lanes[urgent], work)

    def tokenize(self, texts: Sequence[str | tuple[str, str]]) -> list[Any]:
        """Blocks."""
        _, tokenizer = self._load()
        return tokenizer.encode_batch(list(texts))

    def outputs(self, encoded: Sequence[Any]) -> Any:
        """The model's first output for texts of one batch, as an array. Blocks."""
        import numpy

        session, _ = self._load()
        longest = max(len(one.ids) for one in encoded)
        shape = (len(encoded), longest)
        fields = {
            name: numpy.zeros(shape, numpy.int64)
            for name in ("input_ids", "attention_mask", "token_type_ids")
        }
        for row, one in enumerate(encoded):
            end = len(one.ids)
            fields["input_ids"][row, :end] = one.ids
            fields["attention_mask"][row, :end] = 1
            fields["token_type_ids"][row, :end] = one.type_ids
        return session.run(None, fields)[0]

    async def close(self) -> None:
        """Ends the lanes; what runs in them ends first."""
        for lane in self._lanes.values():
            await asyncio.to_thread(lane.shutdown, cancel_futures=True)
        self._loaded = None

    def _load(self) -> tuple[Any, Any]:
        with self._loading:
            if self._loaded is None:
                self._loaded = self._read()
            return self._loaded

    def _read(self) -> tuple[Any, Any]:
        # A version that is installed against our pin shall not report to its maker either.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        import onnxruntime  # pyright: ignore[reportMissingTypeStubs]
        import tokenizers

        runtime: Any = onnxruntime
        try:
            held = catalogue.contents(self._entry, self._path)
            options = runtime.SessionOptions()
            options.intra_op_num_threads = self._threads
            options.inter_op_num_threads = 1
            options.enable_cpu_mem_arena = False  # an arena never gives back its largest batch
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            session = runtime.InferenceSession(
                held["model.onnx"], options, providers=["CPUExecutionProvider"]
            )
            tokenizer: Any = tokenizers.Tokenizer.from_buffer(held["tokenizer.json"])
        except OSError as error:
            raise Unavailable(f"'{self.name}' cannot be loaded: {error}") from error
        tokenizer.no_padding()
        tokenizer.enable_truncation(self._tokens)
        return session, tokenizer


def batches(encoded: Sequence[Any]) -> Iterator[list[int]]:
    """Places of texts that are run together: of like length, and not too much at once."""
    order = sorted(range(len(encoded)), key=lambda place: len(encoded[place].ids))
    batch: list[int] = []
    for place in order:
        if batch and len(encoded[place].ids) * (len(batch) + 1) > _BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch
