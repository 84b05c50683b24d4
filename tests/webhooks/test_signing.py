"""Secrets and their signatures, read by the published verifier."""

from __future__ import annotations

import base64
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from interplay.webhooks.signing import Secret, new_secret, signature, truncated

BODY = b'{"type":"ping"}'


def headers(signed: str, at: int) -> dict[str, str]:
    return {"webhook-id": "msg_1", "webhook-timestamp": str(at), "webhook-signature": signed}


def test_a_signature_is_good_for_the_published_verifier():
    secret, now = new_secret(), int(time.time())
    signed = signature([secret], "msg_1", now, BODY)
    assert Webhook(secret.text).verify(BODY.decode(), headers(signed, now)) == {"type": "ping"}
    for wrong in (headers(signed, now - 1), headers(signed[:-2] + "A=", now)):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret.text).verify(BODY.decode(), wrong)


def test_each_of_two_secrets_verifies_and_the_newest_stands_first():
    old, new, now = new_secret(), new_secret(), int(time.time())
    signed = signature([old, new], "msg_1", now, BODY)
    assert signed.split(" ")[0] == signature([new], "msg_1", now, BODY)
    for secret in (old, new):
        Webhook(secret.text).verify(BODY.decode(), headers(signed, now))
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret().text).verify(BODY.decode(), headers(signed, now))


def test_a_secret_is_long_enough_and_never_the_same():
    secrets = {new_secret().text for _ in range(100)}
    assert len(secrets) == 100
    for text in secrets:
        assert text.startswith("whsec_")
        assert len(base64.b64decode(text.removeprefix("whsec_"), validate=True)) == 36


def test_a_secret_shows_only_its_end():
    secret = new_secret()
    assert truncated(secret.text) == "whsec_..." + secret.text[-4:]
    assert secret.text not in f"{secret!r} {secret} {[secret]}"


def test_a_secret_lives_until_it_expires():
    assert Secret(text="whsec_a").lives(10.0)
    assert Secret(text="whsec_a", expires=10.5).lives(10.0)
    assert not Secret(text="whsec_a", expires=10.0).lives(10.0)
