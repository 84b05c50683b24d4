"""The compose file: its form, and that what it says is what the command understands."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import jsonschema_rs
import pytest
import yaml

from interplay.settings import load
from tests.deploy.papers import DEPLOY, is_setting, understood

TEXT = (DEPLOY / "compose.yaml").read_text("utf-8")
SERVERS = ["migrate", "api-1", "api-2", "worker-1", "worker-2"]


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load(TEXT)


def test_it_fits_the_specification(compose: Any):
    schemas = files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((schemas / "compose-spec.json").read_text("utf-8"))
    validator = jsonschema_rs.validator_for(schema)
    assert [error.message for error in validator.iter_errors(compose)] == []
    wrong = {**compose, "services": {"api": {"imag": "x"}}}
    assert not validator.is_valid(wrong)


def test_every_command_and_variable_is_understood(compose: Any):
    assert [understood(compose["services"][name]["command"]) for name in SERVERS] == [
        "interplay admin migrate",
        "interplay serve",
        "interplay serve",
        "interplay worker",
        "interplay worker",
    ]
    for name in SERVERS:
        for variable in compose["services"][name]["environment"]:
            assert is_setting(variable) or variable == "MODEL_API_KEY", variable


def test_secrets_come_from_the_environment_and_the_example_names_them_all():
    asked = set(re.findall(r"\$\{(\w+)", TEXT))
    given = set(re.findall(r"^(\w+)=", (DEPLOY / ".env.example").read_text("utf-8"), re.MULTILINE))
    assert asked == given
    for secret in ("POSTGRES_PASSWORD", "INTERPLAY_API_KEYS"):
        assert set(re.findall(rf"\$\{{{secret}[^}}]*\}}", TEXT)) == {
            f"${{{secret}:?set it in .env}}"
        }


def test_only_the_proxy_is_reached_from_outside(compose: Any):
    published = [name for name, service in compose["services"].items() if "ports" in service]
    assert published == ["nginx"]
    outside = [n for n, service in compose["services"].items() if "outside" in service["networks"]]
    assert outside == ["nginx"]


def test_a_process_has_the_time_it_takes_to_drain(compose: Any):
    settings = load(config=str(DEPLOY / "interplay.toml"), environ={}).settings
    for name in SERVERS:
        grace = compose["services"][name]["stop_grace_period"]
        assert float(grace.removesuffix("s")) >= settings.limits.drain_seconds + 2 + 5


def test_nothing_runs_before_the_database_is_migrated(compose: Any):
    services = compose["services"]
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in SERVERS[1:]:
        condition = {"condition": "service_completed_successfully"}
        assert services[name]["depends_on"] == {"migrate": condition}
