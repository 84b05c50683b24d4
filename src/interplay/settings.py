"""Settings: one frozen structure, from file, environment and flags."""

from __future__ import annotations

import ipaddress
import os
import tomllib
from pathlib import Path
from typing import Any, Literal

import msgspec

DEFAULT_MODEL = "qwen2.5-coder-1.5b"
DEFAULT_MODELS: dict[str, dict[str, Any]] = {
    name: {"backend": "llama_cpp", "model": name}
    for name in (DEFAULT_MODEL, "qwen2.5-coder-0.5b", "smollm2-135m")
}
"""What is configured when settings name no models."""


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one caller, one run and one stream may take. Sizes in bytes, times in seconds."""

    body_bytes: int = 64 * 1024 * 1024
    """A request body."""
    steps_per_request: int = 20_000
    """Steps in one input."""
    runs_per_key: int = 2_000
    """Foreground runs of one key at a time; one more is answered 429."""
    background_runs: int = 64
    """Background runs at a time; more wait as `queued`."""
    queue: int = 10_000
    """Background runs waiting; one more is answered 429."""
    run_seconds: float = 3_600.0
    """Wall time of one run; past it the interaction ends as `failed` (deadline_exceeded)."""
    run_attempts: int = 5
    """A background run that was taken up so often and broke off each time ends as failed."""
    turns: int = 32
    """Model calls in one interaction; past it: too_many_tool_calls."""
    tool_calls: int = 1_000
    """Calls in one interaction, of functions and tools together; past it: too_many_tool_calls."""
    output_bytes: int = 64 * 1024 * 1024
    """What one interaction may write before it is ended as `incomplete`."""
    stream_lag_bytes: int = 8 * 1024 * 1024
    """A reader this far behind is cut off as soon as it takes nothing for a beat; it may resume."""
    stream_stall_seconds: float = 120.0
    """How long a reader may take nothing at all before it is cut off."""
    keepalive_seconds: float = 15.0
    """A comment is sent on a stream that was silent this long."""
    tool_seconds: float = 120.0
    """One tool call."""
    tool_output_bytes: int = 8 * 1024 * 1024
    """What one tool call may give back."""
    parallel_tools: int = 8
    """Tool calls of one turn at a time."""
    database_connections: int = 16
    """Connections of one process to a PostgreSQL database."""
    database_seconds: float = 10.0
    """How long a call waits for a database that restarts or is busy before it is given up: a
    request is then answered 503, a run tries on until its own end."""
    worker_silence_seconds: float = 30.0
    """A worker that gives no sign of life this long counts as dead; its runs go to others."""
    drain_seconds: float = 10.0
    """How long foreground runs may go on after SIGTERM."""
    retry_seconds: float = 10.0
    """How long the same body of the same key is taken for a retry after a lost connection."""
    media_bytes: int = 32 * 1024 * 1024
    """One file, or what one address answers, as media of an interaction."""
    media_seconds: float = 30.0
    """For fetching media from an address, and for reading the text of one document."""
    media_keep_seconds: float = 300.0
    """How long what an address answered is taken again without asking."""
    media_cache_bytes: int = 64 * 1024 * 1024
    """Media and texts of documents kept in memory for the next turn."""
    document_characters: int = 200_000
    """Of documents whose text a model is shown because it takes none, all of a turn together; in
    any case at most as many as 1.5 times the tokens it can take."""
    blob_bytes: int = 64 * 1024
    """Media larger than this lie as blobs beside the store."""
    history_cache_steps: int = 100_000
    """Decoded steps of recent chains kept in memory."""
    history_cache_bytes: int = 256 * 1024 * 1024
    """How much JSON those steps may be; decoded a text takes as much, with an emoji in it up to
    four times that."""


class Triggers(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What begins by the clock."""

    per_key: int = 1_000
    """Triggers of one key; one more is answered 429."""
    smallest_interval_seconds: float = 60.0
    """A schedule whose ticks lie closer together is refused."""
    missed: Literal["once", "skip"] = "once"
    """Ticks that came while no worker was there. once: the last of them is run when one is back;
    skip: none. The others are recorded as skipped."""


class Webhooks(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is sent when an interaction ends."""

    per_key: int = 100
    """Webhooks of one key; one more is answered 429."""
    uris_per_request: int = 10
    """Addresses in one `webhook_config`."""
    attempt_seconds: float = 10.0
    """How long a receiver may take to answer."""
    retry_hours: float = 24.0
    """How long a delivery is tried again before it is given up."""
    failed_deliveries: int = 10
    """So many deliveries given up one after the other disable their webhook."""
    parallel: int = 64
    """Deliveries of one process at a time."""
    log_days: float = 30.0
    """How long what became of a delivery can be read."""
    issuer: str = "interplay"
    """The `iss` of the tokens that sign deliveries to `webhook_config`."""


class Files(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What can be uploaded, and how long it stays."""

    expire_hours: float = 48.0
    """How long a file stays; 0 keeps for ever."""
    upload_hours: float = 24.0
    """How long an upload that was broken off can be gone on with."""
    file_bytes: int = 2 * 1024 * 1024 * 1024
    """One file."""
    key_bytes: int = 20 * 1024 * 1024 * 1024
    """All files of one key, unfinished uploads included; more is answered 429."""
    stores_per_key: int = 100
    """Search stores of one key; one more is answered 429."""
    document_bytes: int = 100 * 1024 * 1024
    """One document of a search store."""
    search_bytes: int = 1024 * 1024 * 1024
    """All documents of one key; more is answered 429."""
    indexing: int = 2
    """Documents that one process indexes at a time."""
    parse_seconds: float = 300.0
    """For reading one PDF, in a process of its own; one that takes longer fails."""
    parse_memory: int = 1024 * 1024 * 1024
    """Address space of such a process."""
    embedder: str | dict[str, Any] = "auto"
    """What finds passages by their meaning, beside their words: none, the name of an embedder, or
    a table {use = "entry point or module:attribute", ...its own fields}. auto: onnx where the extra
    search is installed and its model was fetched (`interplay models pull bge-small-en-v1.5`), else
    none. Another one than before embeds every document again in the background."""
    reranker: str | dict[str, Any] = "none"
    """What reads the best passages together with the question and puts them in order again: none,
    the name of a reranker such as onnx (`interplay models pull ms-marco-minilm-l12-v2`), or a table
    as above. It costs about 50 ms of one processor for each passage."""
    reranked: int = 20
    """How many passages of a search it reads."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything an operator may set. See docs/settings.md, made from these lines."""

    host: str = "127.0.0.1"
    """The address to listen on; anything but loopback needs `api_keys`."""
    port: int = 8080
    """The port to listen on; 0 picks a free one."""
    data_dir: str = "~/.local/share/interplay"
    """Where the database and the blobs lie."""
    cache_dir: str = "~/.cache/interplay"
    """Where models lie; can be deleted and fetched again."""
    api_keys: list[str] = []
    """`key` or `name:key`; each sees only its own interactions. Empty: no key is asked for."""
    api_keys_file: str | None = None
    """A file with one key a line, in the same form."""
    role: str = "all"
    """What this process does: api answers requests and hands background work over, worker does
    it, all does both."""
    database: str = ""
    """postgresql://user:password@host/name for a database that many processes and machines share;
    empty for a file in `data_dir`."""
    shared: bool = False
    """Whether other processes on this machine use the same `data_dir`; a PostgreSQL database is
    always shared."""
    store: str = ""
    """The store plugin; empty: sqlite, or postgres where `database` names one."""
    dispatcher: str = ""
    """The plugin that shares background work between processes; empty: local, or dbos where
    `database` names a PostgreSQL."""
    blobs: str = ""
    """The blobs plugin; empty: files, or s3 where `blobs_url` names a bucket."""
    blobs_url: str = ""
    """s3://bucket/prefix?endpoint=https://...&region=... for media in S3-compatible storage (extra
    s3; keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY); or a folder that all machines share;
    empty for `data_dir`/blobs."""
    durability: str = "normal"
    """normal: a power cut may lose the last commits, a crash of the process never does.
    full: every commit is flushed to the disk."""
    retention_days: float = 55.0
    """How long an ended interaction is kept; 0 keeps for ever."""
    default_model: str = DEFAULT_MODEL
    """What `interplay chat` and `ask` use, and what the fallback leads to."""
    preload: bool = True
    """Begin to load `default_model` when the server starts."""
    gemini_fallback: bool = True
    """`gemini-*` names nobody configured are answered by `default_model`; said in the log,
    in the `x-interplay-model` header and in /models."""
    default_revision: str = "2026-05-20"
    """The schema of requests without any revision hint; before 2026-05-20 means `outputs`."""
    outputs_beside_steps: bool = False
    """Adds `outputs` beside `steps` to answers for clients that give no hint."""
    allow_insecure_public: bool = False
    """Listen on a public address without keys."""
    cors_origins: list[str] = msgspec.field(default_factory=lambda: ["*"])
    """Origins a browser may call from."""
    allowed_networks: list[str] = []
    """Networks (CIDR) that callers may make this server connect to though they are not public,
    such as 10.1.0.0/16 for receivers of webhooks; the only ones where http will do for those."""
    log_level: str = "info"
    """debug, info, warning, error."""
    log_format: str = "text"
    """text or json."""
    limits: Limits = msgspec.field(default_factory=Limits)
    triggers: Triggers = msgspec.field(default_factory=Triggers)
    webhooks: Webhooks = msgspec.field(default_factory=Webhooks)
    files: Files = msgspec.field(default_factory=Files)
    models: dict[str, dict[str, Any]] = msgspec.field(default_factory=lambda: dict(DEFAULT_MODELS))
    """Model name or glob -> {backend = "...", ...the backend's own fields}. What is given here
    stands beside the embedded models, or in place of one of the same name."""
    agents: dict[str, dict[str, Any]] = {}
    """Agent name -> {use = "entry point or module:attribute", ...its own fields}."""
    tools: dict[str, dict[str, Any]] = {}
    """Tool type -> {use = "entry point or module:attribute", ...its own fields}."""
    engines: dict[str, dict[str, Any]] = {}
    """Web search engine -> {use = "entry point", ...its own fields}; tried in this order."""
    reader: dict[str, Any] = {}
    """How pages are fetched: {use = "entry point", ...its own fields}."""
    sandbox: dict[str, Any] = {}
    """Where code is run: {backend = "auto", ...the backend's own fields}; none runs nothing."""

    @property
    def on_postgres(self) -> bool:
        """Whether `database` names a PostgreSQL."""
        return self.database.startswith(("postgresql://", "postgres://"))

    @property
    def data_path(self) -> Path:
        """`data_dir` with ~ expanded."""
        return Path(self.data_dir).expanduser()

    @property
    def cache_path(self) -> Path:
        """`cache_dir` with ~ expanded."""
        return Path(self.cache_dir).expanduser()


TABLES: dict[str, type[msgspec.Struct]] = {
    "limits": Limits,
    "triggers": Triggers,
    "webhooks": Webhooks,
    "files": Files,
}
"""Tables of settings with fields of their own."""


class SettingsError(Exception):
    """A setting is wrong; the message names it, its source and the way out."""


class Sourced(msgspec.Struct, frozen=True):
    """Settings, and for each dotted name where its value comes from."""

    settings: Settings
    sources: dict[str, str]


def load(
    *, config: str | None = None, flags: dict[str, Any] | None = None, environ: Any = None
) -> Sourced:
    """Reads settings: defaults < file < environment < flags.

    The file is `config`, else $INTERPLAY_CONFIG, else ./interplay.toml when it is there.
    Environment: INTERPLAY_PORT, INTERPLAY_LIMITS__QUEUE (two underscores for a dot);
    lists are comma-separated. Raises SettingsError naming every fault.
    """
    env = os.environ if environ is None else environ
    merged: dict[str, Any] = {}
    sources: dict[str, str] = {}
    merged["models"] = {name: dict(entry) for name, entry in DEFAULT_MODELS.items()}
    path = config or env.get("INTERPLAY_CONFIG")
    if path is None and Path("interplay.toml").is_file():
        path = "interplay.toml"
    if path is not None:
        _merge(merged, _read_file(path), path, sources)
    _merge(merged, _from_environment(env), "environment", sources)
    _merge(merged, flags or {}, "command line", sources)
    return Sourced(_decode(merged, sources), sources)


def _read_file(path: str) -> dict[str, Any]:
    try:
        with open(Path(path).expanduser(), "rb") as file:
            return tomllib.load(file)
    except FileNotFoundError as error:
        raise SettingsError(f"There is no settings file {path}.") from error
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"The settings file {path} cannot be read: {error}") from error


def _from_environment(env: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, raw in env.items():
        if not name.startswith("INTERPLAY_") or name == "INTERPLAY_CONFIG":
            continue
        keys = name.removeprefix("INTERPLAY_").lower().split("__")
        kind = _kind(keys)
        if kind is None:
            continue
        at = values
        for key in keys[:-1]:
            at = at.setdefault(key, {})
        at[keys[-1]] = [v.strip() for v in raw.split(",") if v.strip()] if kind == "list" else raw
    return values


def _kind(keys: list[str]) -> str | None:
    """ "list", "scalar", or None for a variable that names no setting."""
    struct: Any = Settings
    if len(keys) == 2 and keys[0] in TABLES:
        struct, keys = TABLES[keys[0]], keys[1:]
    if len(keys) != 1:
        return None
    for field in msgspec.structs.fields(struct):
        if field.name == keys[0]:
            return "list" if str(field.type).startswith("list") else "scalar"
    return None


def _merge(
    into: dict[str, Any], values: dict[str, Any], source: str, sources: dict[str, str], at: str = ""
) -> None:
    for key, value in values.items():
        if value is None:
            continue
        name = f"{at}{key}"
        if isinstance(value, dict) and isinstance(into.get(key, {}), dict) and at.count(".") < 1:
            _merge(into.setdefault(key, {}), value, source, sources, f"{name}.")  # pyright: ignore
        else:
            into[key] = value
            sources[name] = source


def _decode(values: dict[str, Any], sources: dict[str, str]) -> Settings:
    try:
        return _checked(msgspec.convert(values, Settings, strict=False))
    except msgspec.ValidationError as error:
        from interplay.wire.explain import explain

        faults = explain(values, Settings, strict=False)
        lines = [f"{fault.path}: {fault.message}" for fault in faults] or [str(error)]
        given = ", ".join(sorted(set(sources.values())))
        raise SettingsError("Settings ({}): {}".format(given, " ".join(lines))) from error


def _checked(settings: Settings) -> Settings:
    """What no type tells."""
    for text in settings.allowed_networks:
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError as error:
            raise SettingsError(
                f"allowed_networks: '{text}' is no network; write it like 10.0.0.0/8."
            ) from error
    return settings
