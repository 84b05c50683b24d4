"""Tokens that a receiver checks with a published key: for addresses that a request named, where
there is no secret to share."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from interplay.contracts.records import Record, Records, Stale

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

KIND, ID = "signing_key", "webhooks"

_BITS = 2_048
_TOKEN_SECONDS = 300
_SIGN_SECONDS = 90 * 86_400
_PUBLISHED_AFTER_SECONDS = 7 * 86_400
"""A key signs for so long, and is published on for those who come late."""
_LOOK_SECONDS = 60.0
"""How old what is known of the keys may be: another process may have made a new one."""
_TRIES = 20


class Key(msgspec.Struct, kw_only=True, frozen=True):
    """A key pair. Its private half appears in no representation."""

    id: str
    pem: str
    modulus: str
    exponent: str
    """Both as a JWK has them."""
    made: float
    """Unix seconds."""

    def __repr__(self) -> str:
        return f"Key({self.id})"


class SigningKeys:
    """The key pairs of all processes, kept as one record, made on first use and replaced after
    three months. May raise StoreUnavailable."""

    def __init__(self, records: Records, issuer: str, clock: Callable[[], float]) -> None:
        self._records, self._issuer, self._clock = records, issuer, clock
        self._known: list[Key] = []
        self._looked = 0.0
        self._looking = asyncio.Lock()
        self._loaded: tuple[str, RSAPrivateKey] | None = None

    async def token(self, audience: str, id: str, body: bytes) -> str:
        """A JWT (RS256) over one attempt. Its claims hold the event itself, whom it is for, and
        the SHA-256 of the body; it is good for five minutes."""
        keys = await self._keys()
        now = int(self._clock())
        claims: dict[str, Any] = {
            **msgspec.json.decode(body),
            "iss": self._issuer,
            "aud": audience,
            "iat": now,
            "exp": now + _TOKEN_SECONDS,
            "jti": id,
            "body_sha256": hashlib.sha256(body).hexdigest(),
        }
        header = {"alg": "RS256", "typ": "JWT", "kid": keys[-1].id}
        signed = _part(msgspec.json.encode(header)) + b"." + _part(msgspec.json.encode(claims))
        return (signed + b"." + _part(self._sign(keys[-1], signed))).decode()

    async def published(self) -> bytes:
        """The JWKS: the public halves, newest first."""
        keys = [
            {
                "kty": "RSA",
                "use": "sig",
                "alg": "RS256",
                "kid": key.id,
                "n": key.modulus,
                "e": key.exponent,
            }
            for key in reversed(await self._keys())
        ]
        return msgspec.json.encode({"keys": keys})

    def _sign(self, key: Key, signed: bytes) -> bytes:
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import padding

        if self._loaded is None or self._loaded[0] != key.id:
            loaded: Any = serialization.load_pem_private_key(key.pem.encode(), None)
            self._loaded = (key.id, loaded)
        return self._loaded[1].sign(signed, padding.PKCS1v15(), hashes.SHA256())

    async def _keys(self) -> list[Key]:
        """Those that are published, newest last; the newest signs."""
        async with self._looking:
            if not self._known or self._clock() - self._looked >= _LOOK_SECONDS:
                self._known, self._looked = await self._read(), self._clock()
            return self._known

    async def _read(self) -> list[Key]:
        for _ in range(_TRIES):
            record = await self._records.get(KIND, ID)
            keys = msgspec.json.decode(record.doc, type=list[Key]) if record is not None else []
            now = self._clock()
            if keys and now - keys[-1].made < _SIGN_SECONDS:
                return keys
            pair = await asyncio.to_thread(_generate, now)
            keys = [
                key for key in keys if now - key.made < _SIGN_SECONDS + _PUBLISHED_AFTER_SECONDS
            ]
            try:
                await self._write(record, [*keys, pair], now)
            except (KeyError, Stale):
                continue  # another process was first
            return [*keys, pair]
        raise Stale("The signing keys change all the time.")

    async def _write(self, record: Record | None, keys: list[Key], now: float) -> None:
        doc = msgspec.json.encode(keys)
        if record is None:
            await self._records.add(Record(kind=KIND, id=ID, created=now, updated=now, doc=doc))
        else:
            record.doc, record.updated = doc, now
            await self._records.replace(record)


def _generate(now: float) -> Key:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    pair = rsa.generate_private_key(public_exponent=65_537, key_size=_BITS)
    numbers = pair.public_key().public_numbers()
    modulus, exponent = _number(numbers.n), _number(numbers.e)
    pem = pair.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    # The thumbprint of RFC 7638: members in this order, without spaces.
    printed = msgspec.json.encode({"e": exponent, "kty": "RSA", "n": modulus})
    return Key(
        id=_part(hashlib.sha256(printed).digest()).decode(),
        pem=pem.decode(),
        modulus=modulus,
        exponent=exponent,
        made=now,
    )


def _number(value: int) -> str:
    return _part(value.to_bytes((value.bit_length() + 7) // 8, "big")).decode()


def _part(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
