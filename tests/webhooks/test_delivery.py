"""Attempts, the pauses between them, and the end of both."""

from __future__ import annotations

import asyncio
import json

import jwt
import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from interplay.contracts.store import StoreAway
from interplay.plugins.stores.sqlite import SqliteStore
from interplay.testing.local_web import LocalWeb
from interplay.testing.manual_clock import ManualClock
from interplay.webhooks.rows import DELIVERY, DeliveryRow
from interplay.wire.webhook import RotateSigningSecretRequest, WebhookUpdate
from tests.webhooks.conftest import OWNER, Post, interaction, pages

HOUR = 3_600.0


async def times(post: Post, clock: ManualClock, id: str, most: int = 100) -> list[float]:
    """Makes every attempt there is, each when it is due; answers the pauses between."""
    pauses: list[float] = []
    for _ in range(most):
        due = await post.deliverer.deliver(id)
        if due is None:
            return pauses
        pauses.append(due - clock())
        clock.advance(max(0.0, due - clock()))
    raise AssertionError("It does not end.")


async def test_an_event_arrives_signed_as_it_was_written(post: Post, web: LocalWeb):
    hook = await post.hook(web.on("/hook", *pages(204)))
    (id,) = await post.ended()
    assert await post.deliverer.deliver(id) is None
    (request,) = web.requests
    event = Verifier(hook.new_signing_secret or "").verify(request.body.decode(), request.headers)
    assert event["type"] == "interaction.completed"
    assert event["data"] == {"id": "v1_one"}
    assert request.headers["webhook-id"] == id
    assert request.headers["content-type"] == "application/json"
    (seen,) = await post.deliveries(hook.id or "")
    assert (seen.id, seen.state, seen.next_attempt_time) == (id, "delivered", None)
    assert [(attempt.status_code, attempt.error) for attempt in seen.attempts] == [(204, None)]
    assert seen.attempts[0].latency_ms >= 0
    assert json.loads(request.body) == {**event, "version": "v1"}
    assert seen.event.data.id == "v1_one"


async def test_what_was_delivered_is_never_sent_again(post: Post, web: LocalWeb):
    await post.hook(web.on("/hook", *pages(200)))
    (id,) = await post.ended()
    for _ in range(3):
        assert await post.deliverer.deliver(id) is None
    assert len(web.requests) == 1
    assert await post.deliverer.deliver("msg_nobody") is None


async def test_an_address_of_a_request_gets_a_token_that_the_published_keys_verify(
    post: Post, web: LocalWeb
):
    uri = web.on("/one", *pages(500, 200))
    config = {"uris": [uri], "user_metadata": {"job": "nightly"}}
    (id,) = await post.ended(request=json.dumps({"webhook_config": config}).encode())
    due = await post.deliverer.deliver(id)
    assert due is not None
    post.clock.advance(due - post.clock())
    assert await post.deliverer.deliver(id) is None
    known = jwt.PyJWKSet.from_dict(json.loads(await post.keys.published()))
    for request in web.requests:
        token = request.headers["webhook-signature"]
        key = known[jwt.get_unverified_header(token)["kid"]]
        claims = jwt.decode(
            token, key, algorithms=["RS256"], audience=uri, options={"verify_iat": False}
        )
        assert claims["user_metadata"] == {"job": "nightly"}
        assert claims["jti"] == id == request.headers["webhook-id"]
        assert json.loads(request.body)["user_metadata"] == {"job": "nightly"}


async def test_pauses_double_to_an_hour_and_end_after_a_day(
    post: Post, web: LocalWeb, clock: ManualClock
):
    hook = await post.hook(web.on("/hook", *pages(500)))
    (id,) = await post.ended()
    pauses = await times(post, clock, id)
    assert pauses[:12] == [2.0 * 2**n for n in range(11)] + [HOUR]
    assert max(pauses) == HOUR
    assert sum(pauses) == pytest.approx(24 * HOUR)
    (seen,) = await post.deliveries(hook.id or "")
    assert (seen.state, len(seen.attempts)) == ("failed", len(pauses) + 1)
    assert {attempt.error for attempt in seen.attempts} == {"The receiver answered 500."}
    assert {request.headers["webhook-id"] for request in web.requests} == {id}
    assert len({request.headers["webhook-timestamp"] for request in web.requests}) > 30
    assert len({request.body for request in web.requests}) == 1


async def test_pauses_are_spread_by_a_quarter(post: Post, web: LocalWeb, clock: ManualClock):
    await post.hook(web.on("/hook", *pages(500)))
    for place, pause in ((0.0, 1.5), (1.0, 2.5)):
        post.deliverer._jitter = lambda place=place: place
        (id,) = await post.ended(id=f"v1_{place}")
        assert await post.deliverer.deliver(id) == pytest.approx(clock() + pause)


async def test_a_receiver_may_ask_to_be_left_alone(post: Post, web: LocalWeb, clock: ManualClock):
    await post.hook(web.on("/hook", *pages(429, retry_after="100")))
    (id,) = await post.ended()
    assert await post.deliverer.deliver(id) == clock() + 100


async def test_before_its_time_nothing_is_sent(post: Post, web: LocalWeb, clock: ManualClock):
    await post.hook(web.on("/hook", *pages(500)))
    (id,) = await post.ended()
    due = await post.deliverer.deliver(id)
    assert await post.deliverer.deliver(id) == due
    assert len(web.requests) == 1


async def test_called_twice_at_once_it_sends_once(post: Post, web: LocalWeb):
    await post.hook(web.on("/hook", *pages(200)))
    (id,) = await post.ended()
    answers = await asyncio.gather(*(post.deliverer.deliver(id) for _ in range(4)))
    assert len(web.requests) == 1
    assert answers.count(None) >= 1


async def test_an_attempt_that_a_crash_cut_off_is_made_again_when_its_time_has_passed(
    post: Post, web: LocalWeb, clock: ManualClock
):
    hook = await post.hook(web.on("/hook", *pages(200)))
    (id,) = await post.ended()
    row = await post.rows.get(DeliveryRow, id)
    assert row is not None
    row.begin(clock(), clock() + 10)
    await post.rows.put(row)  # and here the process dies
    assert await post.deliverer.deliver(id) == clock() + 10
    assert web.requests == []
    clock.advance(10)
    assert await post.deliverer.deliver(id) is None
    (seen,) = await post.deliveries(hook.id or "")
    assert [attempt.status_code for attempt in seen.attempts] == [None, 200]
    assert seen.attempts[0].error is not None


async def test_a_process_that_was_held_up_cannot_undo_what_another_did(
    post: Post, web: LocalWeb, clock: ManualClock
):
    hook = await post.hook(web.on("/hook", *pages(500)))
    (id,) = await post.ended()
    sender = post.sender.send

    async def slow(*args):
        outcome = await sender(*args)
        clock.advance(11)
        post.sender.send = sender
        web.on("/hook", *pages(200))
        assert await post.deliverer.deliver(id) is None  # the other process
        return outcome

    post.sender.send = slow
    assert await post.deliverer.deliver(id) == clock()
    assert await post.deliverer.deliver(id) is None
    (seen,) = await post.deliveries(hook.id or "")
    assert seen.state == "delivered"


async def test_a_rotated_secret_signs_beside_the_old_one_for_a_day(
    post: Post, web: LocalWeb, clock: ManualClock
):
    hook = await post.hook(web.on("/hook", *pages(200)))
    old = hook.new_signing_secret or ""
    new = (await post.service.rotate(hook.id or "", OWNER, RotateSigningSecretRequest())).secret
    for wait, good in ((0.0, 2), (24 * HOUR - 1, 2), (1.0, 1)):
        clock.advance(wait)
        (id,) = await post.ended(id=f"v1_{wait}")
        await post.deliverer.deliver(id)
        assert len(web.requests[-1].headers["webhook-signature"].split(" ")) == good
    request = web.requests[0]
    for secret in (old, new):
        Verifier(secret or "").verify(request.body.decode(), request.headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(old).verify(web.requests[-1].body.decode(), web.requests[-1].headers)


async def test_a_webhook_that_was_deleted_gets_nothing_more(post: Post, web: LocalWeb):
    hook = await post.hook(web.on("/hook", *pages(500)))
    (id,) = await post.ended()
    await post.deliverer.deliver(id)
    await post.service.delete(hook.id or "", OWNER)
    assert await post.deliverer.deliver(id) is None
    assert len(web.requests) == 1
    assert await post.rows.records.get(DELIVERY, id) is None


async def test_a_delivery_committed_just_after_its_webhook_was_deleted_goes_away(
    post: Post, web: LocalWeb
):
    hook = await post.hook(web.on("/hook", *pages(200)))
    made = await post.outbox.records(interaction(1.0), "completed", post.clock(), [])
    await post.service.delete(hook.id or "", OWNER)
    await post.rows.records.add(made[0])
    assert await post.deliverer.deliver(made[0].id) is None
    assert web.requests == []
    assert await post.rows.records.get(DELIVERY, made[0].id) is None


async def test_a_disabled_webhook_gets_no_events_but_pings(post: Post, web: LocalWeb):
    hook = await post.hook(web.on("/hook", *pages(200)))
    (id,) = await post.ended()
    await post.service.update(hook.id or "", OWNER, WebhookUpdate(state="disabled"), None)
    assert await post.deliverer.deliver(id) is None
    await post.service.ping(hook.id or "", OWNER)
    kind, ping = post.jobs.jobs[-1]
    assert await post.deliverer.deliver(ping) is None
    assert kind == DELIVERY
    assert [json.loads(request.body)["type"] for request in web.requests] == ["ping"]
    states = {seen.event.type: seen.state for seen in await post.deliveries(hook.id or "")}
    assert states == {"ping": "delivered", "interaction.completed": "dropped"}


async def test_a_ping_is_not_tried_again_and_does_not_count(post: Post, web: LocalWeb):
    post.settings = post.deliverer._settings = type(post.settings)(failed_deliveries=1)
    hook = await post.hook(web.on("/hook", *pages(500)))
    await post.service.ping(hook.id or "", OWNER)
    assert await post.deliverer.deliver(post.jobs.jobs[-1][1]) is None
    (seen,) = await post.deliveries(hook.id or "")
    assert (seen.state, len(seen.attempts)) == ("failed", 1)
    assert (await post.service.get(hook.id or "", OWNER)).state == "enabled"


async def test_too_many_deliveries_given_up_in_a_row_disable_the_webhook(
    store: SqliteStore, clock: ManualClock, web: LocalWeb
):
    post = Post(store, clock, failed_deliveries=2, retry_hours=0.0)
    hook = await post.hook(web.on("/hook", *pages(500, 200, 500)))
    for number, state in enumerate(
        ["enabled", "enabled", "enabled", "disabled_due_to_failed_deliveries"]
    ):
        (id,) = await post.ended(id=f"v1_{number}")
        assert await post.deliverer.deliver(id) is None
        assert (await post.service.get(hook.id or "", OWNER)).state == state
    assert await post.ended(id="v1_none") == []
    await post.service.update(hook.id or "", OWNER, WebhookUpdate(state="enabled"), None)
    (id,) = await post.ended(id="v1_again")
    await post.deliverer.deliver(id)
    assert (await post.service.get(hook.id or "", OWNER)).state == "enabled"
    await post.sender.close()


async def test_the_address_of_an_event_is_that_of_the_attempt(post: Post, web: LocalWeb):
    hook = await post.hook(web.on("/old", *pages(500)))
    (id,) = await post.ended()
    due = await post.deliverer.deliver(id)
    new = WebhookUpdate(uri=web.on("/new", *pages(200)))
    await post.service.update(hook.id or "", OWNER, new, None)
    post.clock.advance((due or 0) - post.clock())
    assert await post.deliverer.deliver(id) is None
    assert [request.target for request in web.requests] == ["/old", "/new"]


async def test_a_store_that_is_away_is_told_to_the_dispatcher(post: Post, web: LocalWeb):
    await post.hook(web.on("/hook", *pages(200)))
    (id,) = await post.ended()
    put = post.rows.put

    async def away(row):
        raise StoreAway("The database is away.")

    post.rows.put = away
    with pytest.raises(StoreAway):
        await post.deliverer.deliver(id)
    assert web.requests == []
    post.rows.put = put
    assert await post.deliverer.deliver(id) is None
    assert len(web.requests) == 1


async def test_no_secret_is_in_the_log(post: Post, web: LocalWeb, caplog: pytest.LogCaptureFixture):
    caplog.set_level("DEBUG")
    hook = await post.hook(web.on("/hook", *pages(500)))
    (id,) = await post.ended()
    await post.deliverer.deliver(id)
    secret = (hook.new_signing_secret or "").removeprefix("whsec_")
    assert secret
    assert secret not in caplog.text
