"""Keys: who asks, and whether they may."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from interplay.interactions.failures import Rejected
from interplay.settings import Settings, SettingsError


class Keys:
    """The keys of this server. With none configured everyone is the owner ""."""

    def __init__(self, keys: list[str]) -> None:
        self._owners: dict[bytes, str] = {}
        for entry in keys:
            name, colon, secret = entry.partition(":")
            secret = secret if colon else entry
            owner = name if colon else hashlib.sha256(secret.encode()).hexdigest()[:16]
            self._owners[_digest(secret)] = owner

    @classmethod
    def of(cls, settings: Settings) -> Keys:
        """Keys from settings and from the keys file. Raises SettingsError."""
        keys = list(settings.api_keys)
        if settings.api_keys_file is not None:
            path = Path(settings.api_keys_file).expanduser()
            try:
                lines = path.read_text().splitlines()
            except OSError as error:
                raise SettingsError(f"api_keys_file: {path} cannot be read: {error}") from error
            stripped = (line.strip() for line in lines)
            keys += [line for line in stripped if line and not line.startswith("#")]
        return cls(keys)

    @property
    def configured(self) -> bool:
        """Whether a key is asked for at all."""
        return bool(self._owners)

    def owner_of(self, scope: dict[str, Any]) -> str:
        """Whose request this is: by `x-goog-api-key`, `Authorization: Bearer` or `?key=`.
        Raises Rejected (401)."""
        if not self._owners:
            return ""
        given = _given(scope)
        if given is None:
            raise Rejected(
                "authentication",
                "This server asks for a key: send it as 'x-goog-api-key', as 'Authorization:"
                " Bearer', or as '?key='.",
            )
        digest = hashlib.sha256(given).digest()
        for known, owner in self._owners.items():
            if hmac.compare_digest(known, digest):
                return owner
        raise Rejected("authentication", "This key is not one of the server's.")


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _given(scope: dict[str, Any]) -> bytes | None:
    for name, value in scope["headers"]:
        if name == b"x-goog-api-key":
            return value
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return value[7:].strip()
    if b"key=" in scope["query_string"]:
        key = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("key")
        return None if key is None else key.encode()
    return None


def check_binding(settings: Settings, keys: Keys) -> None:
    """Refuses a public address without keys. Raises SettingsError with the way out."""
    if keys.configured or settings.allow_insecure_public or settings.role == "worker":
        return  # a worker answers nobody but whoever looks after it
    host = settings.host
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    if not local:
        raise SettingsError(
            f"host {host} can be reached from other machines, and no keys are configured: set"
            " api_keys (INTERPLAY_API_KEYS=name:secret), listen on 127.0.0.1, or set"
            " allow_insecure_public = true."
        )
