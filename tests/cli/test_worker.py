"""`interplay worker`: a process without requests, beside others."""

from __future__ import annotations

from tests.cli.conftest import run


def test_its_flags_reach_the_settings_and_its_role_is_worker(monkeypatch):
    import interplay.server.serve

    seen = []
    monkeypatch.setattr(interplay.server.serve, "serve", lambda sourced: seen.append(sourced) or 0)
    assert run("worker", "--shared", "--data-dir", "d", "--set", "limits.queue=7").exit_code == 0
    settings = seen[0].settings
    assert (settings.role, settings.shared, settings.port) == ("worker", True, 0)
    assert (settings.data_dir, settings.limits.queue) == ("d", 7)


def test_a_worker_alone_is_refused_with_the_way_out():
    done = run("worker", "--data-dir", "d")
    assert done.exit_code == 2
    assert "--shared" in done.stderr
    assert "--database" in done.stderr


def test_a_database_of_another_kind_is_refused():
    done = run("worker", "--database", "mysql://localhost/x")
    assert done.exit_code == 2
    assert "postgresql://" in done.stderr
