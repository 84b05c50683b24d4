"""Writes on a bare connection: chains against the plain walk, and refusals that leave nothing."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interplay.contracts.store import Fenced, Filter, Gone
from interplay.plugins.stores.sqlite import reads, schema, writes
from interplay.testing.contracts.store_reading import end, ids, new

TABLES = ("interactions", "pieces", "events", "memos", "labels", "interaction_blobs", "branches")


def memory() -> sqlite3.Cursor:
    """An empty store in memory."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    schema.migrate(connection, Path("memory"), schema.migrations())
    return connection.cursor()


@pytest.fixture
def db():
    return memory()


Step = tuple[str, int]
STEPS = st.lists(
    st.tuples(st.sampled_from(["root", "tip", "child", "child", "delete"]), st.integers(0, 10_000)),
    max_size=60,
)


@given(STEPS)
@settings(max_examples=120, deadline=None)
def test_chains_are_those_of_a_walk_along_parents(steps):
    db = memory()
    parents: dict[str, str | None] = {}
    roots: dict[str, str] = {}
    alive: list[str] = []
    for number, (kind, pick) in enumerate(steps):
        if kind == "delete":
            if alive:
                writes.delete(db, alive.pop(pick % len(alive)))
            continue
        parent = None
        if kind != "root" and alive:
            parent = alive[-1] if kind == "tip" else alive[pick % len(alive)]
        id = f"i{number}"
        parents[id] = parent
        roots[id] = f"{id}{'r' * (number % 2)}" if parent is None else roots[parent]
        writes.create(db, 0, new(id, parent, root=roots[id]), end() if number % 3 else None)
        alive.append(id)
    for id in alive:
        walked: list[str] = []
        at: str | None = id
        while at is not None:
            walked.append(at)
            at = parents[at]
        assert ids(reads.chain(db, 0, id)) == [one for one in reversed(walked) if one in alive]
        assert reads.get(db, 0, id).root == roots[id]
        page, _ = reads.list(db, 0, "ann", Filter(root=roots[id]), 99, None)
        assert ids(page) == [one for one in reversed(alive) if roots[one] == roots[id]]
    for id in alive:
        writes.delete(db, id)
    assert db.execute("SELECT count(*) FROM branches").fetchall() == [(0,)]


def test_a_chain_without_forks_is_one_branch(db):
    for number in range(30):
        writes.create(db, 0, new(f"i{number}", f"i{number - 1}" if number else None), end())
    assert db.execute("SELECT id, parent FROM branches").fetchall() == [(1, None)]


@pytest.mark.parametrize("root", ["a", "root"])
def test_a_conversation_has_a_branch_from_its_second_turn_on(db, root):
    def branches() -> list[tuple[int, str, int | None, int | None]]:
        return db.execute("SELECT id, root, parent, fork FROM branches ORDER BY id").fetchall()

    writes.create(db, 0, new("a", root=root), end())
    assert branches() == []
    assert reads.get(db, 0, "a").root == root
    page, _ = reads.list(db, 0, "ann", Filter(root=root), 9, None)
    assert ids(page) == ["a"]
    writes.create(db, 0, new("b", "a", root=root), end())
    assert branches() == [(1, root, None, None)]
    writes.create(db, 0, new("c", "a", root=root), end())
    assert branches() == [(1, root, None, None), (3, root, 1, 0)]
    assert [reads.get(db, 0, id).root for id in "abc"] == [root] * 3
    page, _ = reads.list(db, 0, "ann", Filter(root=root), 9, None)
    assert ids(page) == ["c", "b", "a"]
    # The root's own row is not needed to know the root.
    writes.delete(db, "a")
    assert [reads.get(db, 0, id).root for id in "bc"] == [root] * 2
    page, _ = reads.list(db, 0, "ann", Filter(root=root), 9, None)
    assert ids(page) == ["c", "b"]


def test_what_forked_from_a_deleted_tip_does_not_reach_its_successor(db):
    for id, parent in (("a", None), ("b", "a"), ("c", "b"), ("fork", "b")):
        writes.create(db, 0, new(id, parent), end())
    writes.delete(db, "c")
    writes.delete(db, "b")
    writes.create(db, 0, new("next", "a"), end())
    assert ids(reads.chain(db, 0, "fork")) == ["a", "fork"]
    assert ids(reads.chain(db, 0, "next")) == ["a", "next"]


def test_a_deleted_row_leaves_no_row_anywhere(db):
    blob = "ab" * 32
    asked = new("a", labels={"k": "v"}, blobs=[blob], idempotency_key="k", input=b"x" * 50_000)
    writes.create(db, 0, asked, None)
    writes.append(db, "a", 1, -1, [b"0"], None, None)
    writes.remember(db, "a", "m", b"1", None)
    writes.create(db, 0, new("b", "a", input=b"x" * 300_000), end(blobs=[blob]))
    assert writes.delete(db, "a") == []
    assert writes.delete(db, "b") == [blob]
    for table in TABLES:
        assert db.execute(f"SELECT count(*) FROM {table}").fetchall() == [(0,)], table


def test_what_is_refused_has_changed_nothing(db):
    """So that it can share its transaction with others."""
    writes.create(db, 0, new("a", idempotency_key="k"), None)
    writes.create(db, 0, new("b"), end())
    before = db.connection.total_changes
    for kind, call in (
        (Gone, lambda: writes.create(db, 0, new("x", "nobody"), None)),
        (KeyError, lambda: writes.create(db, 0, new("x", "a", idempotency_key="k"), None)),
        (ValueError, lambda: writes.create(db, 0, new("x", "a", status="failed"), None)),
        (Gone, lambda: writes.claim(db, "nobody", "w")),
        (Fenced, lambda: writes.claim(db, "b", "w")),
        (Fenced, lambda: writes.append(db, "a", 2, -1, [b"x"], "queued", None)),
        (Fenced, lambda: writes.append(db, "a", 1, 0, [b"x"], None, None)),
        (Fenced, lambda: writes.append(db, "a", 1, 0, [], None, end())),
        (ValueError, lambda: writes.append(db, "a", 1, -1, [], "failed", None)),
        (ValueError, lambda: writes.append(db, "a", 1, -1, [], None, end(status="queued"))),
        (Gone, lambda: writes.delete(db, "nobody")),
        (Gone, lambda: writes.remember(db, "nobody", "m", b"1", None)),
        (Fenced, lambda: writes.remember(db, "b", "m", b"1", None)),
        (Fenced, lambda: writes.remember(db, "a", "m", b"1", 2)),
    ):
        with pytest.raises(kind):
            call()
    assert db.connection.total_changes == before
