"""Blobs as files: where they lie, and what a failed write leaves."""

import hashlib
import os
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from interplay.contracts.store import StoreFull
from interplay.plugins.blobs.files import FileBlobs


def files(folder) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def test_a_blob_lies_two_folders_deep_for_its_owner_alone(tmp_path):
    sha256 = await FileBlobs(tmp_path).put(b"x")
    assert files(tmp_path) == [f"{sha256[:2]}/{sha256[2:4]}/{sha256}"]
    path = tmp_path / files(tmp_path)[0]
    assert path.read_bytes() == b"x"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


async def test_what_a_crash_left_half_written_is_no_blob(tmp_path):
    blobs = FileBlobs(tmp_path)
    sha256 = await blobs.put(b"x")
    half = tmp_path / sha256[:2] / sha256[2:4] / "arriving-0123"
    half.write_bytes(b"hal")
    assert await blobs.names() == [sha256]


async def test_a_blob_that_is_put_again_counts_as_new(tmp_path):
    blobs = FileBlobs(tmp_path)
    sha256 = await blobs.put(b"x")
    path = tmp_path / files(tmp_path)[0]
    os.utime(path, (1_000, 1_000))
    assert await blobs.names(idle=600) == [sha256]
    await blobs.put(b"x")
    assert await blobs.names(idle=600) == []
    await blobs.remove(sha256, idle=600)
    assert path.exists()
    os.utime(path, (1_000, 1_000))
    await blobs.remove(sha256, idle=600)
    assert not path.exists()


async def test_a_place_that_is_no_folder_is_store_full(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    blobs = FileBlobs(tmp_path / "file")
    with pytest.raises(StoreFull, match="not writable: Not a directory"):
        await blobs.put(b"x")


async def test_what_a_crash_left_in_mid_removal_comes_back(tmp_path):
    blobs = FileBlobs(tmp_path)
    sha256 = await blobs.put(b"x")
    path = tmp_path / files(tmp_path)[0]
    leaving = path.parent / f"leaving-0123-{sha256}"
    path.rename(leaving)
    os.utime(leaving, (1_000, 1_000))
    assert await blobs.get(sha256) == b"x"
    await blobs.names(idle=600)
    assert files(tmp_path) == [str(path.relative_to(tmp_path))]
    assert await blobs.names(idle=600) == []
    os.utime(path, (1_000, 1_000))
    await blobs.remove(sha256, idle=600)
    assert files(tmp_path) == []


SWEEPER = """
import asyncio, sys
from pathlib import Path
from interplay.plugins.blobs.files import FileBlobs

async def main():
    blobs = FileBlobs(Path(sys.argv[1]))
    print("sweeps", flush=True)
    while True:
        for name in await blobs.names(idle=60):
            await blobs.remove(name, idle=60)

asyncio.run(main())
"""


def test_a_sweep_in_another_process_takes_nothing_that_is_put_meanwhile(tmp_path):
    blobs = FileBlobs(tmp_path)
    sha256 = blobs._put(b"x")
    path = tmp_path / files(tmp_path)[0]
    command = [sys.executable, "-c", SWEEPER, str(tmp_path)]
    swept = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE) as sweeper:
        try:
            assert sweeper.stdout is not None
            assert sweeper.stdout.readline() == b"sweeps\n"
            until = time.monotonic() + 30
            while swept < 300:
                assert time.monotonic() < until
                with suppress(FileNotFoundError):  # from now on the sweeper wants it
                    os.utime(path, (1_000, 1_000))
                with suppress(KeyError):
                    while time.perf_counter_ns() % 11:
                        blobs._get(sha256)
                swept += not path.exists()
                blobs._put(b"x")
                assert blobs._get(sha256) == b"x"
            assert sweeper.poll() is None
        finally:
            sweeper.kill()
    assert blobs._get(sha256) == b"x"


FULL = """
import asyncio, resource, sys
from pathlib import Path
from interplay.contracts.store import StoreFull
from interplay.plugins.blobs.files import FileBlobs

async def main():
    blobs = FileBlobs(Path(sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    small = await blobs.put(b"small")
    try:
        await blobs.put(b"x" * 200_000)
    except StoreFull as error:
        print(error)
    assert await blobs.names() == [small]
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await blobs.put(b"x" * 200_000)

asyncio.run(main())
"""


def test_a_full_disk_leaves_no_half_blob_and_space_brings_it_back(tmp_path):
    command = [sys.executable, "-c", FULL, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("The disk is full or not writable: ")
    names = [name.rpartition("/")[2] for name in files(tmp_path)]
    expected = [hashlib.sha256(data).hexdigest() for data in (b"small", b"x" * 200_000)]
    assert sorted(names) == sorted(expected)
