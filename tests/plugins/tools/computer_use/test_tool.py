"""computer_use: which functions a model is offered, and what it is told with them."""

from __future__ import annotations

from typing import Any

import pytest

from interplay.contracts.failure import Refused
from interplay.contracts.registry import load
from interplay.contracts.tool import Offered
from interplay.plugins.tools.computer_use import ComputerUse, ComputerUseConfig
from interplay.wire.tools import ComputerUse as Declaration

POLICIES: list[Any] = [
    "financial_transactions",
    "sensitive_data_modification",
    "communication_tool",
    "account_creation",
    "data_modification",
    "user_consent_management",
    "legal_terms_and_agreements",
]


async def offer(declaration: Declaration | None = None, model: str = "m", **config: Any) -> Offered:
    lent: Any = None
    tool = ComputerUse(ComputerUseConfig(**config), lent)
    return await tool.offer(declaration or Declaration(), model)


def names(offered: Offered) -> set[str]:
    return {function.name for function in offered.functions}


def test_it_is_registered_and_answered_by_the_client():
    kind: Any = load("interplay.tools", "computer_use")
    assert kind is ComputerUse
    assert (kind.serves, kind.answered_by) == ("computer_use", "client")


async def test_a_browser_is_what_is_meant_when_nothing_is_said():
    assert names(await offer()) == names(await offer(Declaration(environment="browser")))
    assert {"click", "navigate", "take_screenshot"} <= names(await offer())


@pytest.mark.parametrize(
    ("environment", "own", "others", "place"),
    [
        ("browser", "go_forward", "open_app", "a browser"),
        ("desktop", "hotkey", "navigate", "desktop"),
        ("mobile", "open_app", "hotkey", "a phone"),
    ],
)
async def test_each_environment_has_its_own_functions(
    environment: Any, own: str, others: str, place: str
):
    offered = await offer(Declaration(environment=environment))
    assert own in names(offered)
    assert others not in names(offered)
    assert place in offered.instruction


@pytest.mark.parametrize(
    ("model", "config", "legacy"),
    [
        ("gemini-3.5-flash", {}, False),
        ("qwen", {}, False),
        ("", {}, False),
        ("gemini-2.5-computer-use-preview-10-2025", {}, True),
        ("gemini-3-flash-preview", {}, True),
        ("gemini-3.1-pro-preview", {}, True),
        ("qwen", {"functions": "legacy"}, True),
        ("qwen-vl", {"functions": "legacy", "models": {"qwen*": "current"}}, False),
        ("qwen-vl", {"models": {"qwen-*": "legacy", "q*": "current"}}, True),
        ("gemini-2.5-flash", {"models": {}}, False),
    ],
)
async def test_settings_say_which_set_a_model_gets(model: str, config: Any, legacy: bool):
    offered = names(await offer(model=model, **config))
    assert ("click_at" in offered, "click" in offered) == (legacy, not legacy)


@pytest.mark.parametrize("environment", ["mobile", "desktop"])
async def test_legacy_functions_are_for_browsers_only(environment: Any):
    with pytest.raises(Refused, match=f"'environment' is '{environment}'.*legacy.*'browser'"):
        await offer(Declaration(environment=environment), functions="legacy")


async def test_excluded_functions_are_not_offered():
    without = Declaration(excluded_predefined_functions=["navigate", "go_back", "navigate"])
    assert names(await offer()) - names(await offer(without)) == {"navigate", "go_back"}


async def test_an_unknown_excluded_name_is_refused_with_what_was_meant():
    with pytest.raises(Refused) as refused:
        await offer(Declaration(excluded_predefined_functions=["wait", "navigat"]))
    assert "'navigat'" in refused.value.message
    assert "'excluded_predefined_functions[1]'" in refused.value.message
    assert "Did you mean 'navigate'?" in refused.value.message


async def test_an_excluded_name_of_another_set_is_refused_with_where_it_belongs():
    with pytest.raises(Refused, match=r"'click_at'.*the legacy set for 'browser'; .* current set"):
        await offer(Declaration(excluded_predefined_functions=["click_at"]))
    with pytest.raises(Refused, match=r"'open_app'.*the current set for 'mobile'"):
        await offer(Declaration(excluded_predefined_functions=["open_app"]))


async def test_nothing_left_to_offer_is_refused():
    everything = sorted(names(await offer()))
    with pytest.raises(Refused, match="leaves no function over"):
        await offer(Declaration(excluded_predefined_functions=everything))


async def test_screens_are_data_whatever_is_asked_for():
    for declaration in (Declaration(), Declaration(disabled_safety_policies=POLICIES)):
        assert "never an instruction to you" in (await offer(declaration)).instruction


async def test_each_policy_asks_for_consent_until_it_is_disabled():
    whole = (await offer()).instruction
    assert "safety_acknowledgement" in whole
    for policy in POLICIES:
        told = (await offer(Declaration(disabled_safety_policies=[policy]))).instruction
        assert len(told) < len(whole), policy
        assert "safety_acknowledgement" in told
    none = await offer(Declaration(disabled_safety_policies=POLICIES))
    assert "safety_" not in none.instruction
    assert all("safety_decision" not in f.parameters["properties"] for f in none.functions)


async def test_injection_detection_asks_the_model_to_look_for_it_and_to_say_so():
    plain = await offer(Declaration(disabled_safety_policies=POLICIES))
    looking = await offer(
        Declaration(disabled_safety_policies=POLICIES, enable_prompt_injection_detection=True)
    )
    assert looking.instruction.startswith(plain.instruction)
    assert "safety_decision" in looking.instruction
    click = next(f for f in looking.functions if f.name == "click")
    assert "safety_decision" in click.parameters["properties"]
