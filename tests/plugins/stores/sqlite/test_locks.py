"""Who may use a folder at the same time."""

import os
import subprocess
import sys
import threading
import time

import pytest

from interplay.contracts.store import StoreUnusable
from interplay.plugins.stores.sqlite.faults import NotShared, StoreLocked
from interplay.plugins.stores.sqlite.locks import FolderLock, Turns

OTHER = """
import sys
from pathlib import Path
from interplay.contracts.store import StoreUnusable
from interplay.plugins.stores.sqlite.locks import FolderLock
lock = FolderLock(Path(sys.argv[1]), shared=sys.argv[2] == "shared")
try:
    lock.take()
except StoreUnusable as error:
    print(type(error).__name__, error)
else:
    print("taken", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """Starts a process that takes the folder, holds it, and says what became of it."""
    children = []

    def start(how: str) -> str:
        command = [sys.executable, "-c", OTHER, str(tmp_path), how]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        children.append(child)
        return child.stdout.readline().strip()

    start.children = children
    yield start
    for child in children:
        child.kill()
        child.wait(timeout=120)
        child.stdin.close()
        child.stdout.close()


def test_one_that_is_alone_keeps_all_others_out(tmp_path, other):
    lock = FolderLock(tmp_path, shared=False)
    lock.take()
    printed = other("alone")
    assert printed.startswith("StoreLocked ")
    assert f"in use by process {os.getpid()}. Stop it, or give this server" in printed
    printed = other("shared")
    assert printed.startswith("NotShared ")
    assert f"in use by process {os.getpid()}, which does not share it. Start that" in printed
    # Who was refused did no harm to the lock.
    assert other("alone").startswith("StoreLocked ")
    lock.release()
    assert other("alone") == "taken"
    with pytest.raises(NotShared, match=str(other.children[-1].pid)):
        FolderLock(tmp_path, shared=True).take()
    with pytest.raises(StoreLocked, match=str(other.children[-1].pid)):
        FolderLock(tmp_path, shared=False).take()


def test_those_that_share_keep_out_who_wants_to_be_alone_until_the_last_has_gone(tmp_path, other):
    lock = FolderLock(tmp_path, shared=True)
    lock.take()
    assert other("shared") == "taken"
    for alone in (other("alone"), other("alone")):
        assert alone.startswith("StoreLocked ")
        assert "is shared by process" in alone
        assert "shared = true" in alone
    lock.release()
    with pytest.raises(StoreLocked, match="is shared by"):
        FolderLock(tmp_path, shared=False).take()
    other.children[0].kill()
    other.children[0].wait(timeout=120)
    alone = FolderLock(tmp_path, shared=False)
    alone.take()
    alone.release()


def test_a_lock_may_be_taken_again_after_it_was_given_back(tmp_path):
    for shared in (True, False, True):
        lock = FolderLock(tmp_path, shared=shared)
        for _ in range(2):
            lock.take()
            lock.release()
            lock.release()


def test_those_that_share_open_one_after_the_other(tmp_path, monkeypatch):
    monkeypatch.setattr("interplay.plugins.stores.sqlite.locks._OPENING_SECONDS", 0.1)
    first, second = FolderLock(tmp_path, shared=True), FolderLock(tmp_path, shared=True)
    with first.opening():
        with pytest.raises(StoreUnusable, match="has been opening"), second.opening():
            raise AssertionError("both at once")
        with FolderLock(tmp_path, shared=False).opening():
            pass
    with second.opening():
        pass


def test_nobody_waits_long_for_a_turn_that_is_never_given_up(tmp_path):
    first, second = Turns(tmp_path), Turns(tmp_path)
    assert first.take()
    began = time.monotonic()
    assert not second.take()
    waited = time.monotonic() - began
    assert waited >= 0.05
    began = time.monotonic()
    # For a while it does not even ask.
    assert not any(second.take() for _ in range(50))
    assert time.monotonic() - began < 50 * waited
    first.give()
    assert second.take()
    for turns in (first, second):
        turns.close()


def test_a_turn_goes_to_who_waits_for_it(tmp_path, monkeypatch):
    monkeypatch.setattr("interplay.plugins.stores.sqlite.locks._TURN_SECONDS", 20.0)
    first, second = Turns(tmp_path), Turns(tmp_path)
    assert first.take()
    timer = threading.Timer(0.01, first.give)
    timer.start()
    assert second.take()
    timer.join(20)
    for turns in (first, second):
        turns.close()
