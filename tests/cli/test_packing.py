"""Packages for sandboxes: installed once, readable by everyone, broken off without a trace."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from interplay.cli import packing
from interplay.contracts.sandbox import Packages
from tests.cli.wheels import wheel


def place(folder: Path) -> Packages:
    return Packages(folder=folder / "packages", python=Path(sys.executable))


def test_what_is_installed_is_not_missing_any_more_and_everyone_reads_it(tmp_path: Path):
    at, file = place(tmp_path), str(wheel(tmp_path, "twelve", "12"))
    at.folder.mkdir(mode=0o700)
    assert packing.missing(at.folder, [file, file]) == [file]
    packing.install(at, [file])
    assert (at.folder / "twelve.py").read_text() == "SAID = '12'\n"
    assert (at.folder / "twelve.py").stat().st_mode & 0o444 == 0o444
    assert at.folder.stat().st_mode & 0o555 == 0o555
    assert packing.missing(at.folder, [file, "other"]) == ["other"]


def test_one_name_in_two_spellings_is_one(tmp_path: Path):
    folder = tmp_path
    (folder / "installed.txt").write_text("foo-bar\nnumpy>=2\n")
    assert packing.missing(folder, ["Foo_Bar", "foo.bar", "numpy>=2"]) == []
    assert packing.missing(folder, ["numpy"]) == ["numpy"]


def test_a_second_install_adds_to_the_first(tmp_path: Path):
    at = place(tmp_path)
    files = [str(wheel(tmp_path, name, name)) for name in ("one", "two")]
    for file in files:
        packing.install(at, [file])
    assert packing.missing(at.folder, files) == []
    assert {"one.py", "two.py"} <= {path.name for path in at.folder.iterdir()}


def test_what_pip_refuses_stays_missing(tmp_path: Path):
    at = place(tmp_path)
    with pytest.raises(packing.NotPacked, match="did not install"):
        packing.install(at, [str(tmp_path / "nowhere.whl")])
    assert packing.missing(at.folder, ["nowhere"]) == ["nowhere"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "packages").write_text("a file")
    with pytest.raises(packing.NotPacked, match="packages cannot be filled"):
        packing.install(place(tmp_path), ["numpy"])


def test_without_any_pip_the_way_to_one_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(packing, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(packing.NotPacked, match="-m ensurepip"):
        packing.install(place(tmp_path), ["numpy"])
