"""The environment an interaction runs its tools in."""

from __future__ import annotations

from typing import Literal

from interplay.wire.record import Record


class EnvVar(Record):
    """EnvVar"""

    credential: str | None = None
    value: str | None = None


class AllowlistEntry(Record):
    """AllowlistEntry"""

    domain: str
    credential: str | None = None
    transform: list[dict[str, str]] | dict[str, str] | None = None


class EnvironmentNetworkEgressAllowlist(Record):
    """EnvironmentNetworkEgressAllowlist"""

    allowlist: list[AllowlistEntry] | Literal["disabled"] | None = None


class Source(Record):
    """Source"""

    content: str | None = None
    encoding: str | None = None
    source: str | None = None
    target: str | None = None
    type: Literal["gcs", "inline", "repository", "skill_registry"] | None = None


class Environment(Record, tag="remote"):
    """Environment"""

    env: dict[str, EnvVar | str] | None = None
    environment_id: str | None = None
    network: EnvironmentNetworkEgressAllowlist | Literal["disabled"] | None = None
    sources: list[Source] | None = None
