"""What a create would refuse at a tick is refused when the trigger is created."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from interplay.contracts.agent import AgentFacts
from interplay.interactions.failures import Rejected
from interplay.interactions.service import Request
from interplay.testing.scripted_agent import ScriptedAgent
from interplay.triggers.checks import LARGEST_INTERACTION
from interplay.wire.content import TextContent
from interplay.wire.interaction import CreateInteraction
from interplay.wire.steps import FunctionResultStep
from interplay.wire.tools import Function
from tests.api.api import requirement
from tests.triggers.conftest import HELD, OWNER, Shop, asked


class Strict(ScriptedAgent):
    """An agent that takes no tools and runs in the background only."""

    facts: ClassVar[AgentFacts] = AgentFacts(tools=False, background_only=True)


async def refusal(shop: Shop, **fields: Any) -> Rejected:
    """What a create body is refused with."""
    with pytest.raises(Rejected) as refused:
        await shop.replica().checks.check(asked(**fields), OWNER)
    return refused.value


@requirement("triggers:checked")
@pytest.mark.parametrize(
    ("interaction", "said"),
    [
        ({"input": "x"}, "neither was given at 'interaction'."),
        ({"agent": "a", "model": "m", "input": "x"}, "both were given at 'interaction'."),
        ({"agent": "a"}, "'input' at 'interaction'."),
        ({"agent": "a", "input": "x", "store": False}, "store=true is required"),
        ({"agent": "a", "input": "x", "stream": True}, "at 'interaction.stream'."),
        ({"agent": "a", "input": "x", "labels": {"Å": "b"}}, "at 'interaction.labels'."),
        ({"agent": "a", "input": "x", "environment": "e"}, "no sandbox is configured"),
        (
            {"agent": "a", "input": [FunctionResultStep(call_id="c", result="r")]},
            "'interaction.input[0]",
        ),
        (
            {"model": "m", "input": "x", "response_format": {"type": "object", "properties": 1}},
            "'interaction.response_format",
        ),
    ],
)
async def test_a_body_that_create_refuses_is_refused_with_its_path(
    shop: Shop, interaction: dict[str, Any], said: str
) -> None:
    await shop.open()
    refused = await refusal(shop, interaction=CreateInteraction(**interaction))
    assert refused.code in ("invalid_request", "parameter_unknown")
    assert said in refused.message
    assert "interaction" in refused.message


@requirement("triggers:checked")
@pytest.mark.parametrize(
    ("who", "code"), [({"agent": "nobody"}, "not_found"), ({"model": "none"}, "model_not_found")]
)
async def test_who_is_not_there_is_refused(shop: Shop, who: dict[str, str], code: str) -> None:
    await shop.open()
    refused = await refusal(shop, interaction=CreateInteraction(**who, input="x"))
    assert refused.code == code
    assert refused.message.endswith("at 'interaction'.")


async def test_what_an_agent_does_not_take_is_refused_and_its_background_is_given(
    shop: Shop,
) -> None:
    await shop.open(agents={"strict": Strict.of("x")})
    checks = shop.replica().checks
    await checks.check(asked(interaction=CreateInteraction(agent="strict", input="x")), OWNER)
    tools = CreateInteraction(agent="strict", input="x", tools=[Function(name="f")])
    assert "'interaction.tools'" in (await refusal(shop, interaction=tools)).message


async def test_what_it_continues_must_be_there_and_ended(shop: Shop) -> None:
    await shop.open(HELD)
    service = shop.assembly.service
    running: Any = await service.create(
        Request(
            asked=CreateInteraction(agent="a", input="x", background=True),
            owner=OWNER,
            fingerprint="f",
        )
    )
    id = running.journal.row.id
    going_on = CreateInteraction(agent="a", input="x", previous_interaction_id=id)
    refused = await refusal(shop, interaction=going_on)
    assert "at 'interaction.previous_interaction_id'" in refused.message
    nobody = CreateInteraction(agent="a", input="x", previous_interaction_id="v1_nobody")
    assert (await refusal(shop, interaction=nobody)).code == "not_found"
    shop.agent.gate("h").open()
    await shop.ended(id)
    await shop.replica().checks.check(asked(interaction=going_on), OWNER)


async def test_a_large_interaction_is_refused(shop: Shop) -> None:
    await shop.open()
    text = TextContent("x" * LARGEST_INTERACTION)
    refused = await refusal(shop, interaction=CreateInteraction(agent="a", input=[text]))
    assert refused.code == "payload_too_large"
    assert "at 'interaction'" in refused.message


@requirement("triggers:refused-schedules")
async def test_a_schedule_closer_than_the_smallest_interval_is_refused(shop: Shop) -> None:
    await shop.open(smallest_interval_seconds=3_600.0)
    refused = await refusal(shop, schedule="0,30 * * * *")
    assert "triggers.smallest_interval_seconds" in refused.message
    assert refused.message.endswith("at 'schedule'.")
    await shop.replica().checks.check(asked(schedule="@hourly"), OWNER)


@requirement("triggers:environment")
async def test_an_environment_that_a_run_could_not_have_is_refused(shop: Shop) -> None:
    await shop.open()
    refused = await refusal(shop, environment_id="env_1")
    assert "no sandbox is configured" in refused.message
    assert "at 'environment_id'" in refused.message


async def test_a_check_leaves_the_body_as_it_was(shop: Shop) -> None:
    await shop.open()
    given = asked()
    await shop.replica().checks.check(given, OWNER)
    assert given == asked()
