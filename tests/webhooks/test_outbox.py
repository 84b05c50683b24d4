"""Which deliveries the end of an interaction makes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from interplay.plugins.stores.sqlite import SqliteStore
from interplay.testing.manual_clock import ManualClock
from interplay.webhooks.outbox import Subscriptions
from interplay.webhooks.rows import DELIVERY
from interplay.wire.errors import Error
from interplay.wire.webhook import WebhookUpdate
from tests.webhooks.conftest import OWNER, Post, interaction

HOOK = "https://a.example/hook"


async def bodies(post: Post, ids: list[str]) -> list[dict[str, Any]]:
    found = [await post.rows.records.get(DELIVERY, id) for id in ids]
    return [json.loads(json.loads(record.doc)["body"]) for record in found if record is not None]


@pytest.mark.parametrize(
    ("status", "event", "data"),
    [
        ("completed", "interaction.completed", {}),
        ("requires_action", "interaction.requires_action", {}),
        ("cancelled", "interaction.cancelled", {}),
        ("incomplete", "interaction.completed", {"status": "incomplete"}),
        ("budget_exceeded", "interaction.completed", {"status": "budget_exceeded"}),
        ("failed", "interaction.failed", {"error_code": "api_error", "error_message": "Oh."}),
    ],
)
async def test_the_event_tells_how_it_ended_and_points_to_the_interaction(
    post: Post, status: str, event: str, data: dict[str, str]
):
    await post.hook(HOOK, event)
    ids = await post.ended(status, [Error("api_error", "Oh.")] if status == "failed" else [])
    (body,) = await bodies(post, ids)
    assert body.pop("timestamp").endswith("Z")
    assert body == {"type": event, "version": "v1", "data": {"id": "v1_one", **data}}
    assert post.jobs.jobs == [(DELIVERY, ids[0])]


async def test_only_enabled_webhooks_of_the_owner_that_want_the_event_get_it(post: Post):
    wanted = await post.hook(HOOK)
    await post.hook(HOOK, "interaction.failed")
    await post.hook(HOOK, owner="bob")
    off = await post.hook(HOOK)
    await post.service.update(off.id or "", OWNER, WebhookUpdate(state="disabled"), None)
    made = await post.outbox.records(interaction(0.0), "completed", 5.0, [])
    assert [record.group for record in made] == [wanted.id]
    assert (made[0].owner, made[0].state, made[0].due) == (OWNER, "pending", 5.0)


async def test_asked_again_the_same_end_makes_records_of_the_same_ids(post: Post):
    await post.hook(HOOK)
    await post.hook(HOOK)
    first = await post.outbox.records(interaction(0.0), "completed", 5.0, [])
    again = await post.outbox.records(interaction(0.0), "completed", 6.0, [])
    other = await post.outbox.records(interaction(0.0, id="v1_two"), "completed", 5.0, [])
    assert {record.id for record in first} == {record.id for record in again}
    assert len({record.id for record in first + other}) == 4


async def test_a_webhook_config_stands_in_place_of_registered_webhooks(post: Post):
    await post.hook(HOOK)
    config = {"uris": ["https://b.example/", HOOK, HOOK], "user_metadata": {"job": [1, "ü"]}}
    ids = await post.ended(request=json.dumps({"webhook_config": config}).encode())
    found = await bodies(post, ids)
    assert [body["user_metadata"] for body in found] == [{"job": [1, "ü"]}] * 2
    records = [await post.rows.records.get(DELIVERY, id) for id in ids]
    assert [json.loads(record.doc)["uri"] for record in records if record] == config["uris"][:2]
    assert {record.group for record in records if record} == {"v1_one"}


async def test_text_that_looks_like_a_webhook_config_is_none(post: Post):
    hook = await post.hook(HOOK)
    made = await post.outbox.records(
        interaction(0.0, request=b'{"labels":{"a":"webhook_config"},"x":["webhook_config"]}'),
        "completed",
        1.0,
        [],
    )
    assert [record.group for record in made] == [hook.id]


async def test_who_has_no_webhooks_is_asked_about_once(store: SqliteStore, clock: ManualClock):
    class Counting:
        asked = 0

        async def list(self, *args: Any, **kwargs: Any) -> Any:
            self.asked += 1
            return await store.records.list(*args, **kwargs)

    counting: Any = Counting()
    remembering = Subscriptions(counting, remember=True)
    for _ in range(3):
        assert await remembering.of(OWNER) == []
    assert counting.asked == 1
    remembering.forget(OWNER)
    await remembering.of(OWNER)
    assert counting.asked == 2
    shared = Subscriptions(counting, remember=False)
    for _ in range(2):
        await shared.of(OWNER)
    assert counting.asked == 4


async def test_a_webhook_made_while_the_list_was_read_is_not_overlooked_later(
    post: Post, store: SqliteStore
):
    class Slow:
        async def list(self, *args: Any, **kwargs: Any) -> Any:
            found = await store.records.list(*args, **kwargs)
            if not hooks:
                hooks.append(await post.hook(HOOK))
                slow.forget(OWNER)
            return found

    hooks: list[Any] = []
    records: Any = Slow()
    slow = Subscriptions(records, remember=True)
    assert await slow.of(OWNER) == []
    assert [row.record.id for row in await slow.of(OWNER)] == [hooks[0].id]


async def test_what_could_not_be_handed_over_the_sweep_finds(post: Post, clock: ManualClock):
    await post.hook(HOOK)
    post.jobs.away = True
    ids = await post.ended()
    assert post.jobs.jobs == []
    post.jobs.away = False
    assert await post.outbox.sweep() == 0
    clock.advance(11)
    assert await post.outbox.sweep() == 1
    assert post.jobs.jobs == [(DELIVERY, ids[0])]


async def test_a_long_error_is_cut(post: Post):
    await post.hook(HOOK, "interaction.failed")
    (body,) = await bodies(post, await post.ended("failed", [Error("api_error", "x" * 9_000)]))
    assert len(body["data"]["error_message"]) == 500
