"""Every file of the package has its test file, or a line here that says where it is tested."""

from pathlib import Path

import pytest

from tests.house.tree import SRC, TESTS, sources

ELSEWHERE: dict[str, tuple[str, str]] = {
    "contracts/agent.py": ("contracts/test_agents.py", "a contract is tested by its suite"),
    "contracts/dispatcher.py": (
        "contracts/test_dispatchers.py",
        "a contract is tested by its suite",
    ),
    "contracts/embedder.py": ("contracts/test_embedders.py", "a contract is tested by its suite"),
    "contracts/reranker.py": ("plugins/embedders/test_onnx.py", "a contract; it is kept there"),
    "contracts/engine.py": ("contracts/test_engines.py", "a contract is tested by its suite"),
    "contracts/model.py": ("contracts/test_models.py", "a contract is tested by its suite"),
    "contracts/sandbox.py": ("contracts/test_sandboxes.py", "a contract is tested by its suite"),
    "contracts/store.py": ("contracts/test_stores.py", "a contract is tested by its suite"),
    "contracts/tool.py": ("contracts/test_tools.py", "a contract is tested by its suite"),
    "contracts/surroundings.py": ("server/test_surroundings.py", "what the server makes of it"),
    "contracts/failpoint.py": ("crash/test_failpoints.py", "each place is died at there"),
    "contracts/failure.py": ("api/test_weather.py", "types without logic; each is raised there"),
    "files/exchange.py": ("api/test_files.py", "every request of files goes through it"),
    "files/faults.py": ("api/test_files.py", "types; each is raised there"),
    "files/protocol.py": ("api/test_files.py", "headers of every kind are sent there"),
    "files/routes.py": ("api/test_files.py", "seen through the API"),
    "files/search/indexing.py": ("api/test_search_stores.py", "seen through its operations"),
    "files/search/library.py": ("api/test_search_stores.py", "searched there"),
    "files/search/routes.py": ("api/test_search_stores.py", "seen through the API"),
    "files/search/rows.py": ("api/test_search_stores.py", "seen through the API"),
    "files/search/service.py": ("api/test_search_stores.py", "seen through the API"),
    "files/upload_route.py": ("api/test_files.py", "every upload goes through it"),
    "contracts/library.py": ("api/test_search_stores.py", "what the server makes of it"),
    "files/service.py": ("api/test_files.py", "seen through the API"),
    "interactions/admit.py": ("api/test_bad_input.py", "every rule is broken there over HTTP"),
    "interactions/admit_input.py": ("api/test_create.py", "every form of input is sent there"),
    "interactions/body.py": ("api/test_bad_input.py", "bodies of every kind are sent there"),
    "interactions/fold.py": ("interactions/test_replay.py", "what is folded is replayed there"),
    "interactions/format.py": ("api/test_format.py", "seen through the API"),
    "interactions/calls.py": ("interactions/test_toolbox.py", "what calls say and do not say"),
    "interactions/deferred.py": ("api/test_tool_search.py", "what is found is offered there"),
    "interactions/repair.py": ("api/test_repair.py", "every kind of such a call is made there"),
    "interactions/followed.py": ("api/test_processes.py", "seen at the other process"),
    "interactions/journals.py": ("api/test_processes.py", "every journal is made by it"),
    "interactions/kept.py": ("interactions/test_journal.py", "the journal's own row"),
    "interactions/outbox.py": ("api/test_webhooks.py", "a contract; webhooks keep it"),
    "interactions/media_client.py": ("api/test_media.py", "addresses of every kind are asked"),
    "interactions/references.py": ("api/test_media.py", "seen by what reaches the model"),
    "interactions/reading.py": ("api/test_processes.py", "here, elsewhere and ended"),
    "interactions/reaper.py": ("api/test_processes.py", "seen at the other process"),
    "interactions/resource.py": ("api/test_create.py", "seen through the API"),
    "interactions/routes.py": ("api/test_create.py", "every test of the API goes through it"),
    "interactions/service.py": ("api/test_create.py", "every test of the API goes through it"),
    "interactions/writer.py": ("interactions/test_replay.py", "pieces are written there"),
    "plugins/agents/assistant.py": ("api/test_agents.py", "it is only its way through the loop"),
    "server/assembly.py": ("testing/test_server.py", "started, stopped and started again"),
    "server/errors.py": ("api/test_weather.py", "seen through the API"),
    "server/metrics.py": ("server/test_health.py", "read at /metrics"),
    "server/openapi_files.py": ("server/test_openapi.py", "seen in the document"),
    "server/openapi_parts.py": ("server/test_openapi.py", "seen in the document"),
    "server/openapi_triggers.py": ("server/test_openapi.py", "seen in the document"),
    "server/openapi_webhooks.py": ("server/test_openapi.py", "seen in the document"),
    "server/serve.py": ("crash/test_server_crash.py", "needs a process"),
    "interactions/durability.py": ("interactions/test_journal.py", "names; the journal keeps them"),
    "interactions/frames.py": ("interactions/test_replay.py", "seen through what is replayed"),
    "triggers/routes.py": ("api/test_triggers.py", "seen through the API"),
    "webhooks/routes.py": ("api/test_webhooks.py", "seen through the API"),
    "webhooks/rows.py": ("webhooks/test_delivery.py", "what is kept is seen by what is sent"),
    "webhooks/sending.py": ("webhooks/test_delivery.py", "every attempt goes through it"),
    "testing/contracts/agent.py": ("contracts/test_agents.py", "its suite, run and broken"),
    "testing/contracts/embedder.py": (
        "contracts/test_embedders.py",
        "its suite, run and broken",
    ),
    "testing/scripted_embedder.py": ("contracts/test_embedders.py", "the suite is run on it"),
    "testing/contracts/engine.py": ("contracts/test_engines.py", "its suite, run and broken"),
    "testing/contracts/blobs.py": ("contracts/test_blobs.py", "its suite, run and broken"),
    "testing/contracts/dispatcher.py": (
        "contracts/test_dispatchers.py",
        "its suite, run and broken",
    ),
    "testing/contracts/dispatcher_crew.py": ("contracts/test_dispatchers.py", "its players"),
    "testing/contracts/dispatcher_sharing.py": ("contracts/test_dispatchers.py", "a part of it"),
    "testing/dispatching.py": ("contracts/test_dispatchers.py", "the process of that suite"),
    "testing/contracts/model.py": ("contracts/test_models.py", "its suite, run and broken"),
    "testing/contracts/sandbox.py": ("contracts/test_sandboxes.py", "its suite, run"),
    "testing/contracts/store.py": ("contracts/test_stores.py", "its suite, run and broken"),
    "testing/contracts/store_reading.py": ("contracts/test_stores.py", "a part of that suite"),
    "testing/contracts/store_holding.py": ("contracts/test_stores.py", "a part of that suite"),
    "testing/contracts/store_sharing.py": ("contracts/test_stores.py", "its suite, run and broken"),
    "testing/contracts/records.py": ("contracts/test_records.py", "its suite, run and broken"),
    "testing/contracts/jobs.py": ("contracts/test_jobs.py", "its suite, run and broken"),
    "testing/contracts/tool.py": ("contracts/test_tools.py", "its suite, run and broken"),
    "testing/echo.py": ("testing/test_scripted_model.py", "seen through the model that echoes"),
    "testing/gates.py": ("testing/test_scripted_model.py", "seen through the model that holds"),
    "testing/pieces.py": ("contracts/test_models.py", "every rule is broken there once"),
    "testing/rehearsal.py": ("contracts/test_agents.py", "agents are rehearsed there"),
    "testing/script.py": ("testing/test_scripted_model.py", "seen through the model that plays it"),
    "testing/message_brain.py": ("testing/test_local_messages.py", "what the double answers"),
    "testing/local_mcp.py": ("plugins/tools/mcp_server/test_tool.py", "the server of those tests"),
    "testing/scripted_agent.py": ("contracts/test_agents.py", "the agent of that suite"),
    "testing/scripted_tool.py": ("contracts/test_tools.py", "the tool of that suite"),
}
"""Path in the package -> (path in tests, why there)."""
WITHOUT_LOGIC = {"wire": "types only: tests/house/test_wire_equals_sdk.py compares every field"}
"""Folder -> why a file without functions needs no test of its own."""


def own_test(name: str) -> str:
    """`server/app.py` -> `server/test_app.py`."""
    folder, _, file = name.rpartition("/")
    return f"{folder}/test_{file}".lstrip("/")


def plugin_tests(name: str) -> list[Path]:
    """A plugin that is a folder may be tested as the one thing it is: for
    `plugins/stores/sqlite/reads.py` by `plugins/stores/test_sqlite.py`, by any test in
    `plugins/stores/sqlite/`, or by the suite of its contract."""
    parts = name.split("/")
    if parts[0] != "plugins" or len(parts) < 4:
        return []
    kind = TESTS / "plugins" / parts[1]
    own = [kind / f"test_{parts[2]}.py", *(kind / parts[2]).glob("test_*.py")]
    suite = TESTS / "contracts" / f"test_{parts[1]}.py"
    if suite.is_file() and parts[2] in suite.read_text("utf-8"):
        own.append(suite)
    return [path for path in own if path.is_file()]


def names() -> list[str]:
    """Every file of the package that holds more than a docstring."""
    found = (path for path in sources() if path.name not in ("__init__.py", "__main__.py"))
    return [path.relative_to(SRC).as_posix() for path in found]


def has_logic(name: str) -> bool:
    """Whether a file defines a function or a method."""
    return "def " in (SRC / name).read_text(encoding="utf-8")


def test_every_file_has_its_test_file():
    missing = []
    for name in names():
        if name in ELSEWHERE or (TESTS / own_test(name)).is_file() or plugin_tests(name):
            continue
        if name.split("/")[0] in WITHOUT_LOGIC and not has_logic(name):
            continue
        missing.append(f"{name}: no tests/{own_test(name)}")
    assert missing == []


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_is_tested_elsewhere_is_there_and_has_no_test_of_its_own(name):
    elsewhere, reason = ELSEWHERE[name]
    assert (SRC / name).is_file()
    assert (TESTS / elsewhere).is_file()
    assert not (TESTS / own_test(name)).is_file(), f"{name} has its own test now"
    assert reason
