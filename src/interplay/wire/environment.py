"""The environment an interaction runs its tools in."""

from __future__ import annotations

from typing import Literal

from interplay.wire.record import Record


class EnvVar(Record):
    """An environment variable: a `value`, or the id of a `credential` put in its place."""

    credential: str | None = None
    value: str | None = None


class AllowlistEntry(Record):
    """A domain the environment may reach; `*.example.com` and `*` are patterns.

    `transform` holds headers that are added on the way out, `credential` an id whose secret is.
    """

    domain: str
    credential: str | None = None
    transform: list[dict[str, str]] | dict[str, str] | None = None


class EnvironmentNetworkEgressAllowlist(Record):
    """The domains an environment may reach; nothing else is let out."""

    allowlist: list[AllowlistEntry] | Literal["disabled"] | None = None


class Source(Record):
    """Files put into the environment at `target` before work begins.

    `content` is the text of an `inline` source, read by `encoding`; others name a `source`.
    """

    content: str | None = None
    encoding: str | None = None
    source: str | None = None
    target: str | None = None
    type: Literal["gcs", "inline", "repository", "skill_registry"] | None = None


class Environment(Record, tag="remote"):
    """The machine an interaction works on: a new one, or the one named by `environment_id`."""

    env: dict[str, EnvVar | str] | None = None
    environment_id: str | None = None
    network: EnvironmentNetworkEgressAllowlist | Literal["disabled"] | None = None
    sources: list[Source] | None = None
