"""The shipped dispatcher suite over the local dispatcher, and over some that break its rules."""

from contextlib import AsyncExitStack

import pytest

from interplay.testing.contracts.dispatcher import DispatcherContract
from interplay.testing.contracts.dispatcher_crew import Crew

PATIENT = 20.0
"""Seconds on a machine that does much else; what is promised is measured below, alone."""


class TestLocal(DispatcherContract):
    """The dispatcher of one machine, over SQLite."""

    prompt = PATIENT

    @pytest.fixture
    def opens(self):
        return "tests.contracts.dispatchers:local"

    @pytest.fixture
    def place(self, tmp_path):
        return str(tmp_path)


class TestDbos(DispatcherContract):
    """The dispatcher of many machines, over PostgreSQL."""

    prompt = PATIENT

    @pytest.fixture
    def opens(self):
        return "tests.plugins.dispatchers.dbos_opener:opened"

    @pytest.fixture
    def place(self, dispatch_database):
        return dispatch_database


@pytest.mark.alone
@pytest.mark.parametrize(
    "test",
    [
        "test_work_of_a_killed_process_is_taken_over",
        "test_a_process_that_drains_hands_over_at_once",
        "test_drain_hands_back_what_is_being_done_and_others_take_it_at_once",
    ],
)
async def test_the_local_dispatcher_is_as_prompt_as_promised(tmp_path, test):
    async with AsyncExitStack() as stack:
        crew = Crew("tests.contracts.dispatchers:local", str(tmp_path), 2.0, stack)
        await getattr(DispatcherContract(), test)(crew)


@pytest.mark.parametrize(
    ("broken", "test"),
    [
        ("hasty", "test_a_job_is_not_done_before_it_is_due"),
        ("flat", "test_lower_tiers_go_first"),
        ("twofold", "test_a_submitted_job_is_done_once"),
        ("twofold", "test_two_share_the_work_and_nothing_is_done_twice"),
        ("crowded", "test_no_more_is_done_at_once_than_there_are_places"),
        ("crowded", "test_work_that_is_done_without_a_job_takes_places"),
        ("crowded", "test_nothing_is_taken_while_all_places_are_occupied"),
        ("stubborn", "test_a_cancelled_job_that_waits_is_forgotten"),
        ("stubborn", "test_a_cancelled_job_that_is_being_done_is_stopped_for_good"),
        ("stubborn", "test_drain_hands_back_what_is_being_done_and_others_take_it_at_once"),
        ("trusting", "test_the_living_are_not_dead_and_the_closed_are"),
        ("trusting", "test_work_of_a_killed_process_is_taken_over"),
        ("gloomy", "test_the_living_are_not_dead_and_the_closed_are"),
        ("gloomy", "test_a_process_that_is_long_at_work_is_not_taken_for_dead"),
        ("patient", "test_a_frozen_process_counts_as_dead_and_its_jobs_go_to_others"),
        ("nameless", "test_every_start_has_a_name_of_its_own"),
        ("restless", "test_a_handler_that_raises_is_called_again_after_a_pause_that_grows"),
    ],
)
async def test_the_suite_catches_a_dispatcher_that_breaks_a_rule(
    tmp_path, monkeypatch, broken, test
):
    monkeypatch.setattr("interplay.testing.contracts.dispatcher_crew.SECONDS", 2.0)
    async with AsyncExitStack() as stack:
        contract = DispatcherContract()
        contract.silence = 0.6
        crew = Crew(f"tests.contracts.dispatchers:{broken}", str(tmp_path), 0.6, stack)
        with pytest.raises((AssertionError, TimeoutError)):
            await getattr(contract, test)(crew)
