"""What `interplay doctor` looks at, each thing well and unwell."""

import importlib.metadata
import os
import sys

import msgspec
import pytest

from interplay.cli import checks
from interplay.settings import Settings
from tests.cli.loopback import Canned
from tests.ports import free_port
from tests.sandboxes import needs_bubblewrap


def named(found, name):
    return next(check for check in found if check.name == name)


def settings(tmp_path, **values):
    return Settings(**{"data_dir": str(tmp_path / "data"), "cache_dir": str(tmp_path), **values})


def test_this_installation_is_well():
    states = {check.name: check.state for check in checks.installation()}
    assert states["python"] == states["sqlite"] == states["packages"] == "ok"
    assert "extra local" in states


def test_packages_that_are_missing_or_of_the_wrong_version_are_named():
    version = importlib.metadata.version("click")
    assert checks.package_fault("click<99,>=8.2") is None
    assert checks.package_fault("no-such-thing>=1") == "no-such-thing is not installed"
    assert checks.package_fault("click>=99") == f"click {version} is installed, >=99 is needed"
    assert checks.package_fault("click<8") == f"click {version} is installed, <8 is needed"


def test_a_data_folder_that_is_not_there_yet_is_well(tmp_path):
    found = list(checks.folders(settings(tmp_path)))
    assert [check.state for check in found] == ["ok"] * 3
    assert "made at the first start" in found[0].found
    assert not (tmp_path / "data").exists()


def test_a_data_folder_below_a_file_fails(tmp_path):
    (tmp_path / "file").write_text("")
    found = checks.folders(settings(tmp_path, data_dir=str(tmp_path / "file" / "data")))
    assert named(found, "data folder").state == "fail"


def test_a_disk_that_is_nearly_full_is_told(tmp_path, monkeypatch):
    usage = checks.shutil.disk_usage(tmp_path)
    for free, state in ((10**12, "ok"), (10**9, "warn"), (10**6, "fail")):
        monkeypatch.setattr(checks.shutil, "disk_usage", lambda _, f=free: usage._replace(free=f))
        assert named(checks.folders(settings(tmp_path)), "disk").state == state


@pytest.mark.skipif(sys.platform == "win32", reason="locks of POSIX")
def test_who_holds_the_data_folder_is_told_and_left_alone(tmp_path):
    import fcntl

    chosen = settings(tmp_path, data_dir=str(tmp_path))
    lock = tmp_path / "lock"
    lock.write_text("4711\n")
    assert "no server holds" in named(checks.folders(chosen), "data lock").found
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert "process 4711 holds" in named(checks.folders(chosen), "data lock").found
    assert lock.read_text() == "4711\n"


@pytest.fixture
def local(monkeypatch):
    """As if the extra `local` were installed."""
    monkeypatch.setattr(checks, "find_spec", lambda _: object())


@pytest.mark.usefixtures("local")
def test_a_default_model_that_is_not_fetched_names_the_command(tmp_path):
    found = named(checks.models(settings(tmp_path)), "default model")
    assert found.state == "fail"
    assert found.way_out == "Run: interplay models pull qwen2.5-coder-1.5b"


@pytest.mark.usefixtures("local")
def test_a_default_model_nobody_configured_fails(tmp_path):
    found = named(checks.models(settings(tmp_path, default_model="nobody")), "default model")
    assert (found.state, "neither configured nor fetched" in found.found) == ("fail", True)


def test_a_default_model_behind_another_server_needs_no_file(tmp_path):
    models = {"far": {"backend": "openai_compatible"}}
    found = list(checks.models(settings(tmp_path, default_model="far", models=models)))
    assert [check.state for check in found] == ["ok"]


def test_an_embedded_default_needs_its_extra(tmp_path, monkeypatch):
    monkeypatch.setattr(checks, "find_spec", lambda _: None)
    (found,) = checks.models(settings(tmp_path))
    way_out = f"Run: {sys.executable} -m pip install 'interplay[local]'"
    assert (found.state, found.way_out) == ("fail", way_out)


def test_a_key_that_is_to_come_from_the_environment_is_looked_for(tmp_path, monkeypatch):
    models = {"far": {"backend": "openai_compatible", "api_key_env": "FAR_KEY"}}
    chosen = settings(tmp_path, default_model="far", models=models)
    assert named(checks.models(chosen), "model key").state == "warn"
    monkeypatch.setenv("FAR_KEY", "k")
    assert [check.name for check in checks.models(chosen)] == ["default model"]


@pytest.mark.usefixtures("local")
@pytest.mark.parametrize(("there", "state"), [(True, "ok"), (False, "fail")])
def test_a_model_file_is_looked_for(tmp_path, there, state):
    file = tmp_path / "own.gguf"
    if there:
        file.write_text("")
    models = {"own": {"backend": "llama_cpp", "model": str(file)}}
    (found,) = checks.models(settings(tmp_path, default_model="own", models=models))
    assert found.state == state


@needs_bubblewrap
def test_a_sandbox_that_opens_is_well(tmp_path):
    found = named(checks.isolation(settings(tmp_path)), "sandbox")
    assert (found.state, "contained" in found.found) == ("ok", True)


def test_no_sandbox_is_a_failure_only_where_one_was_chosen(tmp_path):
    for chosen, state in (({}, "warn"), ({"backend": "bubblewrap"}, "fail")):
        sandbox = {"bwrap": str(tmp_path / "nowhere"), **chosen}
        found = named(checks.isolation(settings(tmp_path, sandbox=sandbox)), "sandbox")
        assert (found.state, bool(found.way_out)) == (state, True)
    (found,) = checks.isolation(settings(tmp_path, sandbox={"backend": "none"}))
    assert found.state == "ok"
    (found,) = checks.isolation(settings(tmp_path, sandbox={"sandboxs": 1}))
    assert found.state == "fail"


def test_a_free_port_is_well(tmp_path):
    chosen = settings(tmp_path, port=free_port())
    (found,) = checks.listening(chosen, f"http://127.0.0.1:{chosen.port}", None)
    assert (found.state, "is free" in found.found) == ("ok", True)


def test_a_port_that_something_else_holds_fails(tmp_path):
    with Canned(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi") as other:
        (found,) = checks.listening(settings(tmp_path), other.url, None)
    assert found.state == "fail"
    assert "something else answers" in found.found


def test_an_address_that_is_not_of_this_machine_fails(tmp_path):
    chosen = settings(tmp_path, host="192.0.2.1", port=1)
    (found,) = checks.listening(chosen, "http://127.0.0.1:1", None)
    assert (found.state, "cannot be listened on" in found.found) == ("fail", True)


def test_the_server_that_answers_is_asked_for_its_models(tmp_path, served):
    port, server = checks.listening(settings(tmp_path), served.url, None)
    assert (port.state, server.state) == ("ok", "ok")
    assert "echo" in server.found


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({}, "ok"),
        ({"host": "localhost"}, "ok"),
        ({"host": "0.0.0.0"}, "fail"),
        ({"host": "example.org"}, "fail"),
        ({"host": "0.0.0.0", "allow_insecure_public": True}, "warn"),
        ({"host": "0.0.0.0", "api_keys": ["a:b"]}, "ok"),
        ({"api_keys_file": "nowhere"}, "fail"),
    ],
)
def test_who_can_reach_the_server_without_a_key(tmp_path, values, state):
    assert named(checks.access(settings(tmp_path, **values)), "keys").state == state


def test_a_keys_file_that_others_can_read_is_a_warning(tmp_path):
    file = tmp_path / "keys"
    file.write_text("# mine\na:b\n\nc\n")
    for mode, states in ((0o600, ["ok"]), (0o644, ["warn", "ok"])):
        os.chmod(file, mode)
        found = list(checks.access(settings(tmp_path, api_keys_file=str(file))))
        assert [check.state for check in found] == states
    assert found[-1].found == "2 configured"


def test_every_check_is_made(tmp_path):
    chosen = settings(tmp_path, port=free_port())
    found = list(checks.every(chosen, f"http://127.0.0.1:{chosen.port}", None))
    assert {"python", "packages", "disk", "default model", "sandbox", "keys", "port"} <= {
        c.name for c in found
    }
    assert all(check.way_out for check in found if check.state == "fail")
    assert msgspec.to_builtins(found[0])["state"] == "ok"
