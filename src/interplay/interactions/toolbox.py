"""Tool declarations -> tools: what the model is shown, and who answers a call."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import aclosing, contextmanager
from typing import Any

import msgspec

from interplay.contracts.failure import Failure, NotInstalled
from interplay.contracts.model import Choice, FunctionSpec
from interplay.contracts.tool import CallSite, Numbers, Offered, Tool, ToolCall
from interplay.interactions.calls import Announced, Made, Told, TooMuch
from interplay.interactions.deferred import Deferred
from interplay.interactions.failures import Rejected, invalid
from interplay.interactions.fitting import fitted
from interplay.interactions.journal import Durability, Journal
from interplay.interactions.roster import Roster
from interplay.interactions.schema import SchemaFault, Validator, clean
from interplay.settings import Limits, SettingsError
from interplay.wire.errors import HTTP_STATUS
from interplay.wire.steps import Step
from interplay.wire.tools import Function, ToolChoiceConfig, ToolChoiceType, ToolSearch
from interplay.wire.tools import Tool as Declaration

_encode = msgspec.json.Encoder().encode
_CALLS = "interplay:calls"  # the memo of what is under way; agents' own keys have no such form
INTERRUPTED = "The call was interrupted; its outcome is unknown. It was not made again."
_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_.:-]{0,127}$")


class Served(msgspec.Struct):
    """A function the server answers itself."""

    tool: Tool
    declaration: Any
    spec: FunctionSpec


class Toolbox:
    """The functions of one interaction: the caller's own, and those of tools run here."""

    def __init__(self, limits: Limits, model: str = "") -> None:
        self.functions: dict[str, FunctionSpec] = {}
        self.served: dict[str, Served] = {}
        self.deferred = Deferred()
        self.instructions: list[str] = []
        """What the model is told of tools whose calls the caller answers."""
        self._model = model
        self.numbers = Numbers()
        self._limits = limits

    @classmethod
    async def of(
        cls,
        declarations: Sequence[Declaration],
        roster: Roster,
        limits: Limits,
        model: str = "",
    ) -> Toolbox:
        """Reads the `tools` of a request to this model. Raises Rejected with the path."""
        box = cls(limits, model)
        searches: list[tuple[ToolSearch, str]] = []
        for number, declaration in enumerate(declarations):
            path = f"tools[{number}]"
            if isinstance(declaration, Function):
                box._add_function(declaration, path)
            elif isinstance(declaration, ToolSearch):
                searches.append((declaration, path))  # it is described by what there is to find
            else:
                await box._add_served(declaration, roster, path)
        for declaration, path in searches:
            await box._add_search(declaration, roster, path)
        if box.deferred.functions and not searches:
            number = next(n for n, at in enumerate(declarations) if _is_deferred(at))
            raise invalid(
                '\'defer_loading\' needs {"type": "tool_search"} among the tools',
                f"tools[{number}].defer_loading",
            )
        return box

    def _add_function(self, function: Function, path: str) -> None:
        name = _checked(function.name, f"{path}.name")
        self._free(name, path)
        try:
            parameters = clean(function.parameters or {}, f"{path}.parameters")
        except SchemaFault as fault:
            raise invalid(fault.message, fault.path) from fault
        self.functions[name] = FunctionSpec(
            name=name, description=function.description or "", parameters=parameters
        )
        if function.defer_loading:
            self.deferred.functions[name] = function

    def _free(self, name: str, path: str) -> None:
        if name in self.functions or name in self.served:
            raise invalid(f"The function '{name}' is declared twice", f"{path}.name")

    def _plugin(self, type_: str, roster: Roster, path: str) -> Any:
        try:
            tool = roster.tool(type_)
        except SettingsError as error:
            raise Rejected("service_unavailable", f"A tool cannot be set up: {error}") from error
        if tool is None:
            supported = ", ".join(f"'{name}'" for name in ["function", *roster.tool_types()])
            raise invalid(
                f"The value '{type_}' is not supported for 'type' at '{path}'."
                f" Supported values: {supported}. A plugin for it can be installed, or named in"
                f" the setting tools.{type_}."
            )
        return tool

    async def _add_served(self, declaration: Any, roster: Roster, path: str) -> None:
        tool = self._plugin(declaration.__struct_config__.tag, roster, path)
        with _refusals(path):
            if getattr(tool, "answered_by", "server") == "client":
                self._add_client(await tool.offer(declaration, self._model), path)
                return
            specs = await tool.offer(declaration)
        for spec in specs:
            self._free(spec.name, path)
            self.served[spec.name] = Served(tool, declaration, _usable(spec))

    async def _add_search(self, declaration: ToolSearch, roster: Roster, path: str) -> None:
        """Lets the model find what is deferred: answered here, or by the caller, whose answer may
        bring functions of its own."""
        if self.deferred.search:
            raise invalid("'tool_search' can be declared once", path)
        tool = self._plugin("tool_search", roster, path)
        self.deferred.client = declaration.execution == "client"
        for field in () if self.deferred.client else ("name", "description", "parameters"):
            if getattr(declaration, field) is not None:
                raise invalid(f"'{field}' is for execution 'client' only", f"{path}.{field}")
        with _refusals(path):
            spec: FunctionSpec = await tool.offer_over(declaration, self.deferred.declared)
        self.deferred.search = _checked(spec.name, f"{path}.name")
        self._free(spec.name, path)
        if self.deferred.client:
            try:
                parameters = clean(spec.parameters, f"{path}.parameters")
            except SchemaFault as fault:
                raise invalid(fault.message, fault.path) from fault
            self.functions[spec.name] = msgspec.structs.replace(spec, parameters=parameters)
        elif self.deferred.functions:
            self.served[spec.name] = Served(tool, declaration, _usable(spec))

    def _add_client(self, offered: Offered, path: str) -> None:
        for spec in offered.functions:
            self._free(spec.name, path)
            self.functions[spec.name] = _usable(spec)
        if offered.instruction:
            self.instructions.append(offered.instruction)

    def recall(self, steps: Sequence[Step], path: str) -> None:
        """Functions that searches in these steps found are shown from now on. Raises Rejected for
        one of the caller's that is none, with the path."""
        if not self.deferred.search:
            return
        for number, step in enumerate(steps):
            for place, function in enumerate(self.deferred.found_in(step)):
                self._show(function, f"{path}[{number}].result[{place}]")

    def _show(self, function: Function, path: str) -> None:
        name = function.name or ""
        if name in self.deferred.functions:
            self.deferred.show(name)
        elif self.deferred.client and name not in self.functions and name not in self.served:
            self._add_function(msgspec.structs.replace(function, defer_loading=True), path)
            self.deferred.show(name)

    @property
    def specs(self) -> list[FunctionSpec]:
        """Everything the model is shown. What was found on the way comes last, in the order it was
        found: what stands before it stays the same from turn to turn."""
        deferred = self.deferred
        return [
            *(spec for name, spec in self.functions.items() if name not in deferred.functions),
            *(served.spec for served in self.served.values()),
            *(self.functions[name] for name in deferred.shown),
        ]

    def choice(self, asked: ToolChoiceType | ToolChoiceConfig | None) -> Choice:
        """generation_config.tool_choice. Raises Rejected."""
        if asked is None or isinstance(asked, str):
            choice = Choice(mode=asked or "auto")
        else:
            allowed = asked.allowed_tools
            choice = Choice(
                mode=(allowed.mode if allowed else None) or "auto",
                names=allowed.tools if allowed else None,
            )
        path = "generation_config.tool_choice"
        known = {*self.functions, *self.served}
        if self.deferred.search not in (choice.names or [self.deferred.search]):
            for name in choice.names or []:  # nothing else could ever show them
                self.deferred.show(name)
        for number, name in enumerate(choice.names or []):
            if name not in known:
                listed = ", ".join(f"'{n}'" for n in sorted(known)) or "none"
                raise invalid(
                    f"The value '{name[:80]}' is not supported for 'tools' at"
                    f" '{path}.allowed_tools.tools[{number}]'. Supported values: {listed}."
                )
        if choice.mode == "any" and not (known if choice.names is None else choice.names):
            raise invalid("The value 'any' needs at least one function in 'tools'", path)
        return choice

    def argument_faults(self, name: str, arguments: dict[str, Any]) -> list[str]:
        """What is wrong with a call's arguments, by its function's schema."""
        spec = self.functions.get(name) or (self.served[name].spec if name in self.served else None)
        if spec is None or not spec.parameters:
            return []
        return Validator.of(spec.parameters).errors(arguments)

    def fitted(self, call: ToolCall) -> ToolCall:
        """A call of a served tool with its arguments as its schema means them."""
        arguments, _ = fitted(self.served[call.name].spec.parameters, call.arguments)
        return msgspec.structs.replace(call, arguments=arguments)

    async def announce(self, calls: list[ToolCall], journal: Journal) -> Announced:
        """Before calls are made: after a crash it is known that they may have been."""
        announced = Announced(calls, len(journal.fold.steps))
        if journal.durability is Durability.FIRST:
            memo = _encode(announced)
            await journal.store.remember(journal.row.id, _CALLS, memo, epoch=journal.epoch)
        return announced

    async def under_way(self, journal: Journal) -> Announced:
        """The calls an earlier attempt announced and never saw the result of."""
        none = Announced([], 0)
        if journal.epoch == 1 or journal.durability is not Durability.FIRST:
            return none
        memo = (await journal.store.recall(journal.row.id)).get(_CALLS)
        if memo is None:
            return none
        announced = msgspec.json.decode(memo, type=Announced)
        steps = journal.fold.steps
        answered = {getattr(step, "call_id", None) for step in steps}
        announced.numbers = [
            number for number, call in enumerate(announced.calls) if call.id not in answered
        ]
        announced.shown = {getattr(step, "id", "") for step in steps}
        return announced

    async def answer(
        self, announced: Announced, interaction_id: str, owner: str
    ) -> AsyncIterator[Made]:
        """Makes the announced calls side by side, bounded, and yields each one's own steps and
        what fills them in the order of the calls: those of the first while it runs. What a tool
        raises becomes a result with `is_error`. A call that was caught by a crash is made again
        when its tool says that this does no harm, and else gets a result that says so."""
        numbers = announced.numbers
        if numbers is None:
            numbers = range(len(announced.calls))
        gate = asyncio.Semaphore(self._limits.parallel_tools)
        told = [
            Told(
                announced.calls[number],
                self._limits.tool_output_bytes,
                shown=announced.calls[number].id in announced.shown,
            )
            for number in numbers
        ]
        tasks: list[asyncio.Task[None]] = []
        for number, one in zip(numbers, told, strict=True):
            served = self.served[one.call.name]
            if announced.numbers is not None and not served.tool.repeatable:
                one.fail(INTERRUPTED)
                one.end()
                continue
            site = CallSite(
                interaction_id=interaction_id,
                owner=owner,
                declaration=served.declaration,
                deferred=self.deferred.declared,
                idempotency_key=f"{interaction_id}:{announced.written + number}",
                timeout=self._limits.tool_seconds,
                numbers=self.numbers,
                argument_faults=self.argument_faults(one.call.name, one.call.arguments),
            )
            tasks.append(asyncio.create_task(self._answer_one(gate, served.tool, site, one)))
        try:
            for one in told:
                while (item := await one.feed.get()) is not None:
                    yield item
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer_one(
        self, gate: asyncio.Semaphore, tool: Tool, site: CallSite, told: Told
    ) -> None:
        async with gate:
            try:
                made: Any = tool.call(told.call, site)
                async with asyncio.timeout(site.timeout), aclosing(made):
                    async for item in made:
                        told.take(item)
            except TimeoutError:
                told.fail(f"No result within {site.timeout:g} s.")
            except TooMuch:
                told.fail(
                    f"The result is larger than {self._limits.tool_output_bytes} bytes"
                    " (limits.tool_output_bytes)."
                )
            except Failure as failure:
                told.fail(failure.message)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                told.fail("The tool gave up.")
            except Exception as error:  # noqa: BLE001 - a tool's failure is a result
                told.fail(f"{type(error).__name__}: {error}")
        told.end()


def _is_deferred(declaration: Any) -> bool:
    return bool(getattr(declaration, "defer_loading", None))


def _checked(name: str | None, path: str) -> str:
    """The name of a function, if it can be one."""
    if not name or not _NAME.match(name):
        raise invalid(
            f"A function needs a name of letters, digits, '_', '.', ':' or '-' that starts with"
            f" a letter or '_' (got '{(name or '')[:80]}')",
            path,
        )
    return name


@contextmanager
def _refusals(path: str) -> Generator[None]:
    """What a tool says of a declaration, as the caller is told it."""
    try:
        yield
    except Failure as failure:
        raise _refused(failure, path) from failure
    except SettingsError as error:  # of a part the tool works with
        raise Rejected("service_unavailable", f"A tool cannot be set up: {error}") from error


def _refused(failure: Failure, path: str) -> Rejected:
    """Why a declaration cannot be served: the request's fault, or that of what stands behind the
    tool, which keeps its code."""
    rejected = invalid(failure.message, path)
    if isinstance(failure, NotInstalled):
        return rejected  # asking again will not help, until somebody configures it
    if HTTP_STATUS.get(failure.code, 0) < 429:
        return rejected
    return Rejected(failure.code, rejected.message, retry_after=failure.retry_after)


def _usable(spec: FunctionSpec) -> FunctionSpec:
    """The function with a schema that models and validators take. Other servers write some: one
    that cannot be used is left out, and the tool itself checks what it is given."""
    try:
        parameters = clean(spec.parameters, "") if spec.parameters else {}
    except SchemaFault:
        parameters = {"type": "object"}
    return msgspec.structs.replace(spec, parameters=parameters)
