"""Clients of a fleet in trouble: they create, follow, resume and cancel at any process."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from tests.api.api import frames_in
from tests.crash.chaos.fleet import Fleet
from tests.crash.chaos.plan import Plan
from tests.crash.chaos.story import Story, Violation, Witness

LOST = (aiohttp.ClientError, ConnectionError, TimeoutError)
PAUSE = 0.05
LATER = (429, 503)
"""Answers that ask to come again."""
LIMIT = aiohttp.ClientTimeout(sock_connect=2, sock_read=4)
"""A process that says nothing this long is frozen: others are asked."""


class Clients:
    """Everybody who talks to the fleet."""

    def __init__(self, plan: Plan, fleet: Fleet, session: aiohttp.ClientSession) -> None:
        self._plan, self._fleet, self._session = plan, fleet, session
        self._dice = random.Random(plan.seed + 1)

    def _url(self, path: str) -> str:
        return f"{self._fleet.any_url(self._dice)}/v1/interactions{path}"

    async def live(self, story: Story) -> None:
        """One interaction from its creation to its end, with all its clients."""
        others = [self._follow(story, story.witnesses[1])]
        share = self._plan.cancelled
        if int((story.number + 1) * share) > int(story.number * share):
            others.append(self._cancel(story, self._dice.uniform(0.0, 3.0)))
        tasks = [asyncio.create_task(one) for one in (self._create(story), *others)]
        try:
            await asyncio.gather(*tasks)
        except Violation as broken:
            story.reported(broken)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _create(self, story: Story) -> None:
        """Sends the same request until it is answered, and follows what it made."""
        streams = self._dice.random() < 0.5
        body = {"model": story.model, "input": str(story.number), "background": True}
        headers = {"idempotency-key": f"{self._plan.seed}-{story.number}"}
        witness = story.witnesses[0]
        while not story.id:
            self._look(witness)
            try:
                async with self._session.post(
                    self._url(""), json={**body, "stream": streams}, headers=headers, timeout=LIMIT
                ) as response:
                    if response.status in LATER:
                        await asyncio.sleep(PAUSE)
                    elif response.status != 200:
                        raise await self._wrong(story, "create", response)
                    elif streams:
                        async for event in _events(response):
                            if event["event_type"] == "interaction.created":
                                story.is_called(event["interaction"]["id"])
                            witness.take(event)
                    else:
                        story.is_called((await response.json())["id"])
            except LOST:
                await asyncio.sleep(PAUSE)
        await self._follow(story, witness)

    async def _follow(self, story: Story, witness: Witness) -> None:
        await story.known.wait()
        while not witness.ended:
            self._look(witness)
            try:
                await self._resume(story, witness)
            except LOST:
                await asyncio.sleep(PAUSE)

    def _look(self, witness: Witness) -> None:
        if time.monotonic() - witness.heard > self._plan.patience:
            raise Violation(
                f"{witness.story.name}: nothing after {witness.count} events for"
                f" {self._plan.patience:g} s"
            )

    async def _resume(self, story: Story, witness: Witness) -> None:
        """Takes events from some process until it or the client goes away."""
        query = {"stream": "true"}
        if witness.last_id:
            query["last_event_id"] = witness.last_id
        leave_at = self._dice.randint(5, 120)
        witness.resumes += 1
        async with self._session.get(
            self._url(f"/{story.id}"), params=query, timeout=LIMIT
        ) as response:
            if response.status in LATER:
                await asyncio.sleep(PAUSE)
                return
            if response.status != 200:
                raise await self._wrong(story, f"resume after '{witness.last_id}'", response)
            async for event in _timed(response, self._plan.patience):
                witness.take(event)
                leave_at -= 1
                if not leave_at:
                    return

    async def _cancel(self, story: Story, after: float) -> None:
        await story.known.wait()
        await asyncio.sleep(after)
        deadline = time.monotonic() + self._plan.patience
        while time.monotonic() < deadline:
            try:
                async with self._session.post(
                    self._url(f"/{story.id}/cancel"), timeout=LIMIT
                ) as response:
                    if response.status in LATER:
                        await asyncio.sleep(PAUSE)
                        continue
                    if response.status != 200:
                        raise await self._wrong(story, "cancel", response)
                    status = (await response.json())["status"]
                    if status in ("in_progress", "queued"):
                        raise Violation(f"{story.name}: a cancel was answered '{status}'")
                    story.cancelled = status == "cancelled"
                    return
            except LOST:
                await asyncio.sleep(PAUSE)
        raise Violation(f"{story.name}: no cancel was answered in {self._plan.patience:g} s")

    @staticmethod
    async def _wrong(story: Story, what: str, response: aiohttp.ClientResponse) -> Violation:
        text = (await response.text())[:300]
        return Violation(f"{story.name}: {what} was answered {response.status}: {text}")

    async def judge(self, story: Story) -> None:
        """Asks some process for the whole of it, and compares."""
        try:
            stored = await self._asked(f"/{story.id}", {"include_input": "true"})
            story.judge(stored, await self._replayed(story))
        except Violation as broken:
            story.reported(broken)

    async def _replayed(self, story: Story) -> list[dict[str, Any]]:
        """All its events, from one answer of some process."""
        async with self._session.get(
            self._url(f"/{story.id}"), params={"stream": "true"}, timeout=LIMIT
        ) as response:
            if response.status != 200:
                raise await self._wrong(story, "replay", response)
            return [event async for event in _events(response)]

    async def listed(self) -> dict[str, str]:
        """Every interaction there is, and its status."""
        found: dict[str, str] = {}
        query = {"page_size": "200"}
        while True:
            page = await self._asked("", query)
            found |= {line["id"]: line["status"] for line in page["interactions"]}
            if "next_page_token" not in page:
                return found
            query["page_token"] = page["next_page_token"]

    async def _asked(self, path: str, query: dict[str, str]) -> Any:
        async with asyncio.timeout(self._plan.patience):
            while True:
                try:
                    async with self._session.get(
                        self._url(path), params=query, timeout=LIMIT
                    ) as response:
                        if response.status == 200:
                            return await response.json()
                        if response.status not in LATER:
                            raise Violation(f"GET {path} was answered {response.status}")
                except LOST:
                    pass
                await asyncio.sleep(PAUSE)


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    """Whole events, one by one; what a dying server left torn is not one."""
    block = ""
    async for line in response.content:
        block += line.decode()
        if line == b"\n":
            for event in frames_in(block):
                yield event
            block = ""


async def _timed(response: aiohttp.ClientResponse, seconds: float) -> AsyncIterator[dict[str, Any]]:
    """Events, until none came for so long: comments alone keep a connection open."""
    events = _events(response)
    while True:
        try:
            async with asyncio.timeout(seconds):
                event = await anext(events, None)
        except TimeoutError:
            return
        if event is None:
            return
        yield event
