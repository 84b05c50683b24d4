"""Tokens and the published keys, read by PyJWT."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import Any

import jwt
import pytest

from interplay.plugins.stores.sqlite import SqliteStore
from interplay.testing.manual_clock import ManualClock
from interplay.webhooks.keys import ID, KIND, SigningKeys

BODY = b'{"type":"interaction.completed","data":{"id":"v1_x"}}'
DAY = 86_400


def keys(store: SqliteStore, clock: ManualClock) -> SigningKeys:
    return SigningKeys(store.records, "https://here.example", clock)


def read(token: str, published: bytes, audience: str = "https://a.example/") -> dict[str, Any]:
    """What a receiver does."""
    known = jwt.PyJWKSet.from_dict(json.loads(published))
    key = known[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(token, key, algorithms=["RS256"], audience=audience)


async def test_a_token_is_good_for_a_receiver_that_knows_the_published_keys(
    store: SqliteStore, clock: ManualClock
):
    made = keys(store, clock)
    token = await made.token("https://a.example/", "msg_1", BODY)
    claims = read(token, await made.published())
    assert claims["type"] == "interaction.completed"
    assert claims["data"] == {"id": "v1_x"}
    assert claims["iss"] == "https://here.example"
    assert claims["jti"] == "msg_1"
    assert claims["exp"] - claims["iat"] == 300
    assert claims["body_sha256"] == hashlib.sha256(BODY).hexdigest()
    with pytest.raises(jwt.InvalidAudienceError):
        read(token, await made.published(), "https://b.example/")


async def test_only_public_halves_are_published(store: SqliteStore, clock: ManualClock):
    published = json.loads(await keys(store, clock).published())
    assert [set(key) for key in published["keys"]] == [{"kty", "use", "alg", "kid", "n", "e"}]


async def test_processes_that_make_a_key_at_once_agree_on_one(
    store: SqliteStore, clock: ManualClock
):
    several = [keys(store, clock) for _ in range(3)]
    published = await asyncio.gather(*(each.published() for each in several))
    assert len(set(published)) == 1
    assert len(json.loads(published[0])["keys"]) == 1


async def test_a_new_key_follows_after_three_months_and_the_old_one_verifies_for_a_week(
    store: SqliteStore, clock: ManualClock
):
    made = keys(store, clock)
    before = await made.token("https://a.example/", "msg_1", BODY)
    clock.advance(90 * DAY)
    after = await made.token("https://a.example/", "msg_1", BODY)
    kids = [jwt.get_unverified_header(token)["kid"] for token in (before, after)]
    published = json.loads(await made.published())
    assert [key["kid"] for key in published["keys"]] == kids[::-1]
    clock.advance(90 * DAY)
    published = json.loads(await made.published())
    assert kids[0] not in [key["kid"] for key in published["keys"]]


async def test_a_key_another_process_made_is_seen_within_a_minute(
    store: SqliteStore, clock: ManualClock
):
    first, second = keys(store, clock), keys(store, clock)
    await first.published()
    clock.advance(89 * DAY)
    await second.published()
    clock.advance(DAY)
    fresh = await first.published()
    clock.advance(60)
    assert await second.published() == fresh


async def test_the_private_half_is_in_no_representation(store: SqliteStore, clock: ManualClock):
    made = keys(store, clock)
    await made.published()
    record = await store.records.get(KIND, ID)
    assert record is not None
    pem = json.loads(record.doc)[0]["pem"]
    assert "PRIVATE KEY" in pem
    assert "PRIVATE" not in repr(made._known)
