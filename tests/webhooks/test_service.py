"""The resource: made, listed, changed, rotated, removed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from interplay.contracts.egress import Guard
from interplay.contracts.records import Stale
from interplay.interactions.failures import Rejected
from interplay.plugins.stores.sqlite import SqliteStore
from interplay.testing.manual_clock import ManualClock
from interplay.webhooks.rows import DELIVERY, WEBHOOK, WebhookRow
from interplay.wire.webhook import RotateSigningSecretRequest, WebhookInput, WebhookUpdate
from tests.webhooks.conftest import OWNER, Post

URI = "https://93.184.215.14/hook"
AT_ONCE = RotateSigningSecretRequest("revoke_previous_secrets_immediately")


async def refused(call: Any) -> Rejected:
    with pytest.raises(Rejected) as caught:
        await call
    return caught.value


async def test_a_secret_is_shown_when_it_is_made_and_never_again(post: Post):
    made = await post.hook(URI)
    secret = made.new_signing_secret or ""
    assert len(made.id or "") == 43
    assert made.state == "enabled"
    read = await post.service.get(made.id or "", OWNER)
    page = await post.service.list(OWNER, 10, None)
    update = await post.service.update(made.id or "", OWNER, WebhookUpdate(name="n"), None)
    for shown in (read, page, update):
        assert secret not in msgspec.json.encode(shown).decode()
    assert [seen.truncated_secret for seen in read.signing_secrets or []] == [
        "whsec_..." + secret[-4:]
    ]


async def test_lists_go_newest_first_page_by_page_and_each_key_sees_its_own(post: Post):
    made = [(await post.hook(URI)).id for _ in range(3)]
    await post.hook(URI, owner="bob")
    first = await post.service.list(OWNER, 2, None)
    rest = await post.service.list(OWNER, 2, int(first.next_page_token or ""))
    pages = [*(first.webhooks or []), *(rest.webhooks or [])]
    assert [hook.id for hook in pages] == made[::-1]
    assert rest.next_page_token is None
    for call in (
        post.service.get(made[0] or "", "bob"),
        post.service.delete(made[0] or "", "bob"),
        post.service.ping(made[0] or "", "bob"),
        post.service.rotate(made[0] or "", "bob", AT_ONCE),
        post.service.deliveries(made[0] or "", "bob", 10, None),
        post.service.update(made[0] or "", "bob", WebhookUpdate(name="x"), None),
        post.service.get("nobody", OWNER),
    ):
        assert (await refused(call)).code == "not_found"


async def test_a_key_has_so_many_webhooks_and_no_more(store: SqliteStore, clock: ManualClock):
    post = Post(store, clock, per_key=1)
    await post.hook(URI)
    assert (await refused(post.hook(URI))).code == "quota_exceeded"
    await post.hook(URI, owner="bob")


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("http://93.184.215.14/", "Only https"),
        ("https://10.0.0.1/", "private"),
        ("https://u:p@example.com/", "user name"),
        ("hooks", "https://"),
        ("", "https://"),
    ],
)
async def test_an_address_that_may_not_be_reached_is_refused(post: Post, uri: str, said: str):
    fault = await refused(post.hook(uri))
    assert fault.code == "invalid_request"
    assert said in fault.message
    assert "'uri'" in fault.message
    hook = await post.hook(URI)
    fault = await refused(post.service.update(hook.id or "", OWNER, WebhookUpdate(uri=uri), None))
    assert said in fault.message


async def test_a_name_is_resolved_when_a_webhook_is_made(post: Post):
    async def inside(host: str, port: int) -> list[str]:
        return ["10.0.0.1"]

    async def nowhere(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    post.service._guard = Guard(resolve=inside)
    assert "private" in (await refused(post.hook("https://inside.example/"))).message
    post.service._guard = Guard(resolve=nowhere)
    assert (await post.hook("https://soon.example/")).state == "enabled"


async def test_without_a_mask_what_is_given_changes(post: Post, clock: ManualClock):
    hook = await post.hook(URI)
    clock.advance(5)
    given = WebhookUpdate(name="n", subscribed_events=["interaction.failed"], state="disabled")
    changed = await post.service.update(hook.id or "", OWNER, given, None)
    assert (changed.name, changed.state, changed.uri) == ("n", "disabled", URI)
    assert changed.subscribed_events == ["interaction.failed"]
    assert (changed.update_time or "") > (changed.create_time or "")
    assert changed == await post.service.get(hook.id or "", OWNER)


@pytest.mark.parametrize("mask", ["name,state", " name , state ", "state,name,"])
async def test_with_a_mask_only_what_it_names_changes(post: Post, mask: str):
    hook = await post.hook(URI)
    id = hook.id or ""
    await post.service.update(id, OWNER, WebhookUpdate(name="n"), None)
    given = WebhookUpdate(state="disabled", subscribed_events=["interaction.failed"])
    changed = await post.service.update(id, OWNER, given, mask)
    assert (changed.name, changed.state) == (None, "disabled")
    assert changed.subscribed_events == ["interaction.completed"]


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        ("uri", "lacks"),
        ("*", "lacks"),
        ("state", "lacks"),
        ("nom", "Supported values: 'name', 'uri', 'subscribed_events', 'state', '*'"),
        ("id", "not supported for 'update_mask'"),
    ],
)
async def test_a_mask_that_cannot_be_followed_is_refused(post: Post, mask: str, said: str):
    hook = await post.hook(URI)
    call = post.service.update(hook.id or "", OWNER, WebhookUpdate(name="n"), mask)
    assert said in (await refused(call)).message


async def test_a_mask_may_be_written_in_camel_case(post: Post):
    hook = await post.hook(URI)
    given = WebhookUpdate(subscribed_events=["video.generated"])
    changed = await post.service.update(hook.id or "", OWNER, given, "subscribedEvents")
    assert changed.subscribed_events == ["video.generated"]


async def test_nobody_sets_the_state_that_failures_lead_to(post: Post):
    hook = await post.hook(URI)
    given = WebhookUpdate(state="disabled_due_to_failed_deliveries")
    fault = await refused(post.service.update(hook.id or "", OWNER, given, None))
    assert "'enabled' or 'disabled'" in fault.message


async def test_events_asked_for_twice_are_kept_once(post: Post):
    hook = await post.hook(URI, "interaction.failed", "interaction.failed")
    assert hook.subscribed_events == ["interaction.failed"]


async def test_a_rotated_secret_is_shown_once_and_the_old_one_has_a_day(
    post: Post, clock: ManualClock
):
    hook = await post.hook(URI)
    id, old = hook.id or "", hook.new_signing_secret or ""
    new = (await post.service.rotate(id, OWNER, RotateSigningSecretRequest())).secret or ""
    seen = (await post.service.get(id, OWNER)).signing_secrets or []
    assert [secret.truncated_secret for secret in seen] == [
        "whsec_..." + old[-4:],
        "whsec_..." + new[-4:],
    ]
    assert seen[0].expire_time is not None
    assert seen[1].expire_time is None
    clock.advance(3_600)
    await post.service.rotate(id, OWNER, RotateSigningSecretRequest())
    later = (await post.service.get(id, OWNER)).signing_secrets or []
    assert later[0].expire_time == seen[0].expire_time, "a second rotation gives no more time"
    clock.advance(23 * 3_600)
    assert len((await post.service.get(id, OWNER)).signing_secrets or []) == 2


async def test_rotated_at_once_the_old_secret_is_gone(post: Post):
    hook = await post.hook(URI)
    new = (await post.service.rotate(hook.id or "", OWNER, AT_ONCE)).secret or ""
    row = await post.rows.get(WebhookRow, hook.id or "")
    assert row is not None
    assert [secret.text for secret in row.kept.secrets] == [new]


async def test_rotated_again_and_again_a_few_secrets_sign(post: Post):
    hook = await post.hook(URI)
    for _ in range(10):
        await post.service.rotate(hook.id or "", OWNER, RotateSigningSecretRequest())
    assert len((await post.service.get(hook.id or "", OWNER)).signing_secrets or []) == 5


async def test_a_change_made_meanwhile_is_not_lost(post: Post):
    hook = await post.hook(URI)
    put, times = post.rows.put, []

    async def contested(row: Any) -> Any:
        times.append(row)
        if len(times) < 3:
            await post.rows.records.replace(await post.rows.records.get(WEBHOOK, row.record.id))
            raise Stale(row.record.id)
        return await put(row)

    post.rows.put = contested
    changed = await post.service.update(hook.id or "", OWNER, WebhookUpdate(name="n"), None)
    assert (changed.name, len(times)) == ("n", 3)


async def test_a_deleted_webhook_takes_its_deliveries_along(post: Post):
    hook = await post.hook(URI)
    (id,) = await post.ended()
    await post.service.delete(hook.id or "", OWNER)
    assert await post.rows.records.get(DELIVERY, id) is None
    assert (await refused(post.service.delete(hook.id or "", OWNER))).code == "not_found"
    assert await post.ended(id="v1_later") == []


async def test_a_ping_is_a_delivery_of_its_own(post: Post):
    hook = await post.hook(URI)
    for _ in range(2):
        await post.service.ping(hook.id or "", OWNER)
    seen = await post.deliveries(hook.id or "")
    assert [(each.state, each.event.type, each.event.data.id) for each in seen] == [
        ("pending", "ping", hook.id)
    ] * 2
    assert {id for _, id in post.jobs.jobs} == {each.id for each in seen}


async def test_a_ping_that_cannot_be_handed_over_is_found_by_the_sweep(
    post: Post, clock: ManualClock
):
    hook = await post.hook(URI)
    post.jobs.away = True
    await post.service.ping(hook.id or "", OWNER)
    post.jobs.away = False
    clock.advance(11)
    assert await post.outbox.sweep() == 1


@pytest.mark.parametrize("name", ["", "x" * 256])
async def test_a_name_is_free(post: Post, name: str):
    made = await post.service.create(WebhookInput(["interaction.failed"], URI, name), OWNER)
    assert made.name == name
