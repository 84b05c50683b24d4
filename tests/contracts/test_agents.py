"""The shipped agent suite over scripted agents."""

import pytest

from interplay.contracts.failure import Unavailable
from interplay.testing.contracts.agent import AgentContract
from interplay.testing.rehearsal import Rehearsal
from interplay.testing.scripted_agent import ScriptedAgent
from interplay.testing.scripted_model import ScriptedModel
from interplay.wire.steps import FunctionCallStep, ModelOutputStep, ThoughtStep


class TestScripted(AgentContract):
    """Acts of every kind that needs no gate."""

    @pytest.fixture
    def agent(self):
        return ScriptedAgent.of({"think": "hm"}, {"once": "k"}, {"converse": "m"}, "done")


async def test_acts_are_done_in_order():
    agent = ScriptedAgent.of({"think": "hm"}, {"converse": "m"}, "done")
    written = await Rehearsal("hi there").of(agent)
    assert [type(step) for step in written] == [ThoughtStep, ModelOutputStep, ModelOutputStep]
    assert [step.content[0].text for step in written[1:]] == ["hi there", "done"]


async def test_a_scripted_failure_ends_the_run():
    with pytest.raises(Unavailable, match="told to fail"):
        await Rehearsal().of(ScriptedAgent.of({"fail": {}}))


async def test_a_memo_is_made_once_over_a_crash():
    agent = ScriptedAgent.of({"once": "k"})
    first = Rehearsal()
    await first.of(agent)
    second = Rehearsal(after=first)
    await second.of(agent)
    assert agent.made == 1
    assert (first.made, second.made) == (["k"], [])


async def test_converse_writes_function_calls():
    model = ScriptedModel.of({"calls": [{"name": "f", "arguments": {"x": 1}}]})
    written = await Rehearsal(model=model).of(ScriptedAgent.of({"converse": "m"}))
    assert isinstance(written[0], FunctionCallStep)
    assert written[0].arguments == {"x": 1}


async def test_the_suite_catches_an_agent_that_writes_nothing():
    with pytest.raises(AssertionError):
        await AgentContract().test_a_run_ends_and_leaves_steps(
            ScriptedAgent.of(), ScriptedModel.of(echo=True)
        )
