"""The settings and what they mean, read from the structs that define them."""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import json
import textwrap
from typing import Any, cast

import msgspec

from interplay.settings import TABLES, Settings

_SAMPLES = {
    "models": """\
[models."gpt-*"]
backend = "openai_compatible"
base_url = "https://api.openai.com/v1"
api_key_env = "OPENAI_API_KEY"
""",
    "agents": """\
[agents.helper]
use = "my_package.agents:Helper"
""",
    "tools": """\
[tools.my_tool]
use = "my_package.tools:MyTool"
""",
    "engines": """\
[engines.mine]
use = "my_package.engines:MyEngine"
""",
    "reader": """\
[reader]
use = "my_package.readers:MyReader"
""",
    "sandbox": """\
[sandbox]
backend = "auto"
sandboxes = 32
""",
}


class Setting(msgspec.Struct, frozen=True):
    """One setting: its dotted name, its type, its default as TOML, and what it means."""

    name: str
    type: str
    default: str
    meaning: str

    @property
    def variable(self) -> str | None:
        """The environment variable that sets it; None for tables."""
        if self.type == "table":
            return None
        return "INTERPLAY_" + self.name.upper().replace(".", "__")


@functools.cache
def all_settings() -> list[Setting]:
    """Every setting in the order of the structs, those of a table at the place of the table."""
    found: list[Setting] = []
    for setting in _of(Settings, ""):
        if setting.name in TABLES:
            found += _of(TABLES[setting.name], f"{setting.name}.")
        else:
            found.append(setting)
    return found


def is_list(name: str) -> bool:
    """Whether a setting takes a list."""
    return any(setting.name == name and setting.type == "list" for setting in all_settings())


def example() -> str:
    """A settings file with every setting as a comment at its default."""
    lines = [
        "# Settings of Interplay. Every line is optional; what stands here are the defaults.",
        "# A flag of `interplay serve` goes before the environment, the environment before this.",
        "",
    ]
    tables: list[str] = []
    for setting in all_settings():
        if setting.type == "table":
            tables += ["", *_comment(setting.meaning), *_comment(_SAMPLES[setting.name])]
            continue
        table, _, key = setting.name.rpartition(".")
        into = tables if table else lines
        if table and f"[{table}]" not in into:
            into += ["", *_comment(inspect.getdoc(TABLES[table]) or ""), f"[{table}]"]
        into += [*_comment(setting.meaning), f"# {key} = {setting.default or '...'}"]
    return "\n".join([*lines, *tables]) + "\n"


def page() -> str:
    """docs/settings.md."""
    parts = [_HEAD]
    plain = [s for s in all_settings() if "." not in s.name and s.type != "table"]
    parts.append(_table(plain))
    for name, struct in TABLES.items():
        inside = [s for s in all_settings() if s.name.startswith(f"{name}.")]
        parts.append(f"## [{name}]\n\n{_flow(inspect.getdoc(struct) or '')}\n\n{_table(inside)}")
    for setting in all_settings():
        if setting.type == "table":
            sample = f"```toml\n{_SAMPLES[setting.name]}```"
            parts.append(f"## [{setting.name}]\n\n{_flow(setting.meaning)}\n\n{sample}\n")
    return "\n".join(parts)


_HEAD = """\
# Settings

Made from `src/interplay/settings.py` by `docs/make_settings.py`; do not edit by hand.

A setting comes from the first of these that has it:

1. a flag of `interplay serve` (`--port 9000`, or `--set limits.queue=500` for any setting),
2. the environment (`INTERPLAY_PORT=9000`, `INTERPLAY_LIMITS__QUEUE=500`; lists with commas),
3. the settings file: `--config FILE`, else `INTERPLAY_CONFIG`, else `./interplay.toml`,
4. the default.

`interplay config` prints every setting with its value and where it comes from;
`interplay config --example` prints a settings file to start from. A setting that is unknown or
of the wrong type stops the server with exit code 2 and a message that names it.
"""


def _table(settings: list[Setting]) -> str:
    rows = ["| Setting | Default | Meaning |", "|---|---|---|"]
    for setting in settings:
        meaning = _flow(setting.meaning).replace("|", "\\|")
        default = f"`{setting.default}`" if setting.default else "not set"
        rows.append(f"| `{setting.name}` | {default} | {meaning} |")
    return "\n".join(rows) + "\n"


def _flow(text: str) -> str:
    return " ".join(text.split())


def _comment(text: str) -> list[str]:
    return [f"# {line}".rstrip() for line in text.rstrip().splitlines()]


def _of(struct: type[msgspec.Struct], prefix: str) -> list[Setting]:
    meanings = _meanings(struct)
    return [
        Setting(prefix + f.name, _kind(f), _toml(_default(f)), meanings[f.name])
        for f in msgspec.structs.fields(struct)
    ]


def _kind(field: msgspec.structs.FieldInfo) -> str:
    said = str(field.type)
    return "list" if said.startswith("list") else "table" if said.startswith("dict") else "value"


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _toml(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 10_000:
        return f"{value:_}"
    return json.dumps(value) if not isinstance(value, msgspec.Struct) else "{}"


def _meanings(struct: type[msgspec.Struct]) -> dict[str, str]:
    """The string that stands below each field in the source."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(struct)))
    body = cast("ast.ClassDef", tree.body[0]).body
    found: dict[str, str] = {}
    for line, below in itertools.pairwise(body):
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            said = below.value if isinstance(below, ast.Expr) else None
            text = said.value if isinstance(said, ast.Constant) else ""
            found[line.target.id] = inspect.cleandoc(text) if isinstance(text, str) else ""
    for field in msgspec.structs.fields(struct):
        found.setdefault(field.name, "")
    return found
