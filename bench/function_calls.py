"""How often the embedded models call the right function, with the right arguments.

    python bench/function_calls.py [--models qwen2.5-coder-1.5b,qwen2.5-coder-0.5b] [--set main]

Prints per model: right choices, right choices with right arguments, calls nobody asked for,
calls that were missed, and the median time of a turn until its first piece.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from contextlib import aclosing
from typing import Any

import msgspec
from function_cases import CASES, HELD_OUT, SETS, Case

from interplay.contracts.model import FunctionSpec, Turn
from interplay.plugins.models.llama_cpp import Config, LlamaCpp
from interplay.testing.pieces import said
from interplay.wire.content import TextContent
from interplay.wire.steps import (
    FunctionCallStep,
    FunctionResultStep,
    ModelOutputStep,
    Step,
    UserInputStep,
)


def steps_of(conversation: list[tuple[str, str]]) -> list[Step]:
    """A case's conversation as steps."""
    steps: list[Step] = []
    for number, (kind, text) in enumerate(conversation):
        if kind == "user":
            steps.append(UserInputStep(content=[TextContent(text=text)]))
        elif kind == "model":
            steps.append(ModelOutputStep(content=[TextContent(text=text)]))
        elif kind == "call":
            name, arguments = text.split(" ", 1)
            decoded = msgspec.json.decode(arguments, type=dict[str, Any])
            steps.append(FunctionCallStep(arguments=decoded, id=f"c{number}", name=name))
        else:
            steps.append(FunctionResultStep(call_id=f"c{number - 1}", result=text))
    return steps


def fits(wanted: Any, found: Any) -> bool:
    """Texts fit when the wanted one is contained, whatever its case; numbers when equal."""
    if isinstance(wanted, str):
        return wanted.lower() in str(found).lower()
    return wanted == found


def right(wanted: list[tuple[str, dict[str, Any]]], calls: list[FunctionCallStep]) -> bool:
    """As many calls as wanted, each with the wanted arguments."""
    return len(wanted) == len(calls) and all(
        name == call.name
        and all(fits(value, call.arguments.get(key)) for key, value in args.items())
        for (name, args), call in zip(wanted, calls, strict=True)
    )


async def run(model: LlamaCpp, case: Case) -> tuple[list[FunctionCallStep], float]:
    """The calls a model makes for one case, and the seconds until its first piece."""
    tools, conversation, _ = case
    functions = [msgspec.convert(tool, FunctionSpec) for tool in SETS[tools]]
    turn = Turn(
        model="bench",
        steps=steps_of(conversation),
        functions=functions,
        temperature=0.0,
        seed=1,
        max_output_tokens=160,
    )
    began = time.monotonic()
    first = 0.0
    pieces: list[Any] = []
    async with aclosing(model.stream(turn)) as stream:
        async for piece in stream:
            first = first or time.monotonic() - began
            pieces.append(piece)
            if hasattr(piece, "text"):
                return [], first  # it answers; the words do not matter here
    return said(pieces).calls, first


async def measure(name: str, cases: list[Case]) -> None:
    """Runs every case and prints the figures and the faults."""
    model = LlamaCpp(Config(model=name))
    await model.open()
    chosen = whole = uncalled = missed = 0
    seconds: list[float] = []
    faults: list[str] = []
    for case in cases:
        calls, first = await run(model, case)
        seconds.append(first)
        wanted = case[2]
        same = bool(wanted) == bool(calls) and (not wanted or wanted[0][0] == calls[0].name)
        chosen += same
        whole += right(wanted, calls)
        uncalled += not wanted and bool(calls)
        missed += bool(wanted) and not calls
        if not right(wanted, calls):
            got = [(call.name, call.arguments) for call in calls]
            faults.append(f"    {case[1][-1][1][:48]!r}: wanted {wanted}, got {got}")
    await model.close()
    print(
        f"{name}: {chosen}/{len(cases)} right choices, {whole}/{len(cases)} with arguments,"
        f" {uncalled} uncalled for, {missed} missed, median {statistics.median(seconds):.2f} s"
    )
    print("\n".join(faults), flush=True)


async def main() -> None:
    """Reads the command line and measures one model after the other."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--models", default="qwen2.5-coder-1.5b,qwen2.5-coder-0.5b")
    options.add_argument("--set", choices=("main", "held-out"), default="main")
    given = options.parse_args()
    for name in given.models.split(","):
        await measure(name, HELD_OUT if given.set == "held-out" else CASES)


if __name__ == "__main__":
    asyncio.run(main())
