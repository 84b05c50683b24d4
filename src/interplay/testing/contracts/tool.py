"""What every tool must do; see interplay.contracts.tool."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from interplay.contracts.tool import CallSite, ClientTool, Tool, ToolCall


@pytest.mark.asyncio
class ToolContract:
    """Subclass it and give the fixtures `tool`, `declaration` (an entry of `tools` as the request
    would hold it) and `arguments` (of a call that succeeds)."""

    patience = 60.0
    """Seconds one call may take."""

    @pytest.fixture
    def tool(self) -> Any:
        """The tool under test; every test makes at most two calls."""
        raise NotImplementedError("Give your test class a `tool` fixture.")

    @pytest.fixture
    def declaration(self) -> Any:
        """The declaration it serves."""
        raise NotImplementedError("Give your test class a `declaration` fixture.")

    @pytest.fixture
    def arguments(self) -> dict[str, Any]:
        """Arguments of the first function it offers."""
        raise NotImplementedError("Give your test class an `arguments` fixture.")

    async def made(
        self, tool: Tool, declaration: Any, arguments: dict[str, Any], id: str = "call0001"
    ) -> list[Any]:
        """One call of the first offered function, whole."""
        name = (await tool.offer(declaration))[0].name
        call = ToolCall(id=id, name=name, arguments=arguments)
        async with asyncio.timeout(self.patience):
            return [piece async for piece in tool.call(call, self.site(declaration, id))]

    def site(self, declaration: Any, key: str) -> CallSite:
        """Where the call happens."""
        return CallSite(
            interaction_id="v1_test",
            owner="",
            declaration=declaration,
            idempotency_key=key,
            timeout=self.patience,
        )

    async def test_it_serves_the_type_of_its_declaration(self, tool: Tool, declaration: Any):
        """`serves` is the wire type."""
        assert msgspec.to_builtins(declaration)["type"] == tool.serves
        assert isinstance(tool.repeatable, bool)

    async def test_what_it_offers_is_a_function_with_an_object_schema(
        self, tool: Tool, declaration: Any, arguments: dict[str, Any]
    ) -> None:
        """Names are unique, and the sample arguments fit the first schema."""
        offered = await tool.offer(declaration)
        assert offered
        assert len({function.name for function in offered}) == len(offered)
        for function in offered:
            jsonschema_rs.validator_for(function.parameters or {})
        assert jsonschema_rs.is_valid(offered[0].parameters or {}, arguments)

    async def test_a_call_makes_a_call_step_and_its_result(
        self, tool: Tool, declaration: Any, arguments: dict[str, Any]
    ) -> None:
        """Bare steps each followed by their deltas; the result names the call."""
        pieces = await self.made(tool, declaration, arguments)
        steps = [piece for piece in pieces if type(piece).__name__.endswith("Step")]
        assert steps[0] is pieces[0]
        assert len(steps) >= 2
        calls = {step.id for step in steps if hasattr(step, "id")}
        answered = [step.call_id for step in steps if hasattr(step, "call_id")]
        assert calls
        assert set(answered) == calls
        assert not getattr(pieces[-1], "is_error", False)

    async def test_two_calls_have_steps_of_their_own(
        self, tool: Tool, declaration: Any, arguments: dict[str, Any]
    ) -> None:
        """No id is used twice."""
        one = await self.made(tool, declaration, arguments, "call0001")
        two = await self.made(tool, declaration, arguments, "call0002")
        ids = [{piece.id for piece in made if hasattr(piece, "id")} for made in (one, two)]
        assert not ids[0] & ids[1]

    async def test_a_call_can_be_closed_in_the_middle(
        self, tool: Tool, declaration: Any, arguments: dict[str, Any]
    ) -> None:
        """Closing after the first piece returns soon."""
        name = (await tool.offer(declaration))[0].name
        call = ToolCall(id="call0003", name=name, arguments=arguments)
        made: Any = tool.call(call, self.site(declaration, "k"))
        async with asyncio.timeout(self.patience), aclosing(made):
            await anext(made)


@pytest.mark.asyncio
class ClientToolContract:
    """For a tool whose calls the caller answers: subclass it and give the fixtures `tool` and
    `declaration`."""

    @pytest.fixture
    def tool(self) -> Any:
        """The tool under test."""
        raise NotImplementedError("Give your test class a `tool` fixture.")

    @pytest.fixture
    def declaration(self) -> Any:
        """A declaration it describes."""
        raise NotImplementedError("Give your test class a `declaration` fixture.")

    async def test_it_serves_the_type_of_its_declaration(
        self, tool: ClientTool, declaration: Any
    ) -> None:
        """`serves` is the wire type, and it leaves the calls to the caller."""
        assert msgspec.to_builtins(declaration)["type"] == tool.serves
        assert tool.answered_by == "client"
        assert not hasattr(tool, "call")

    async def test_what_it_offers_are_functions_with_object_schemas(
        self, tool: ClientTool, declaration: Any
    ) -> None:
        """Names are unique and can be declared, schemas say what arguments may be."""
        offered = await tool.offer(declaration, "any-model")
        names = [function.name for function in offered.functions]
        assert names
        assert len({*names}) == len(names)
        for function in offered.functions:
            assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", function.name)
            assert function.description
            jsonschema_rs.validator_for(function.parameters or {})
            assert (function.parameters or {"type": "object"})["type"] == "object"

    async def test_the_same_declaration_means_the_same_again(
        self, tool: ClientTool, declaration: Any
    ) -> None:
        """What a model was shown in one turn it is shown in the next, so that caches hold."""
        once, again = [await tool.offer(declaration, "any-model") for _ in range(2)]
        assert once == again

    async def test_a_model_nobody_named_is_offered_something_too(
        self, tool: ClientTool, declaration: Any
    ) -> None:
        """An agent chooses its models later."""
        assert (await tool.offer(declaration, "")).functions
