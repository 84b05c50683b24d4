"""What plugins are lent: engines in their order, one reader, folders of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from interplay.contracts.egress import Guard
from interplay.contracts.engine import Hit, Query
from interplay.contracts.failure import NotInstalled
from interplay.plugins.blobs.files import FileBlobs
from interplay.plugins.stores.sqlite.store import SqliteStore
from interplay.server.surroundings import Lent
from interplay.settings import Files, Settings, SettingsError


class Engine:
    """Finds the name it was given."""

    class Config(msgspec.Struct, forbid_unknown_fields=True):
        finds: str

    def __init__(self, config: Config, at: Any) -> None:
        self.kinds = frozenset({"web"})
        self.finds, self.at, self.closed = config.finds, at, False

    async def search(self, query: Query) -> list[Hit]:
        return [Hit(title=self.finds, url="https://example.org/")]

    async def close(self) -> None:
        self.closed = True


HERE = "tests.server.test_surroundings:Engine"


def lent(folder: Path, **given: Any) -> Lent:
    settings = Settings(data_dir=str(folder / "data"), cache_dir=str(folder / "cache"), **given)
    store = SqliteStore(folder / "data")
    return Lent(settings, store, FileBlobs(folder / "blobs"), Guard())


async def test_engines_are_built_once_in_their_order_and_closed_with_the_server(
    tmp_path: Path,
) -> None:
    tables = {"b": {"use": HERE, "finds": "one"}, "a": {"use": HERE, "finds": "two"}}
    at = lent(tmp_path, engines=tables)
    engines: Any = at.engines()
    assert [engine.finds for engine in engines] == ["one", "two"]
    assert at.engines() is engines
    assert engines[0].at is at
    await at.close()
    assert all(engine.closed for engine in engines)


def test_without_an_engine_it_says_what_to_configure(tmp_path: Path) -> None:
    with pytest.raises(NotInstalled, match=r"\[engines\.NAME\]"):
        lent(tmp_path).engines()


def test_a_wrong_field_of_an_engine_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"engines\.a\.fnds"):
        lent(tmp_path, engines={"a": {"use": HERE, "fnds": "x"}}).engines()


def test_folders_are_the_plugins_own(tmp_path: Path) -> None:
    at = lent(tmp_path)
    assert at.folder("corpus") == tmp_path / "data" / "plugins" / "corpus"
    assert at.folder("corpus").stat().st_mode & 0o777 == 0o700
    assert at.cache("models").is_dir()


SCRIPTED = "interplay.testing.scripted_embedder:ScriptedEmbedder"


def test_an_embedder_is_taken_by_itself_only_where_its_model_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "interplay.server")
    assert lent(tmp_path).embedder() is None
    assert "interplay models pull bge-small-en-v1.5" in caplog.text
    assert lent(tmp_path, files=Files(embedder="none")).embedder() is None
    assert lent(tmp_path).reranker() is None


async def test_the_embedder_in_force_is_said_and_closed_with_the_server(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO", "interplay.server")
    at = lent(tmp_path, files=Files(embedder={"use": SCRIPTED, "name": "mine"}))
    made = at.embedder()
    assert made is not None
    assert made.facts.name == "mine"
    assert "the embedder of search stores is mine" in caplog.text
    closed: list[bool] = []

    async def close() -> None:
        closed.append(True)

    monkeypatch.setattr(made, "close", close)
    await at.close()
    assert closed == [True]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("onnx", "interplay models pull"),
        ({"use": "onnx"}, "interplay models pull"),
        ({"model": "m"}, "needs `use`"),
        ("nobody", "nobody"),
        ({"use": "openai_compatible", "model": "m"}, "base_url"),
    ],
)
def test_an_embedder_that_was_asked_for_and_is_not_there_stops_the_server(
    tmp_path: Path, given: Any, says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        lent(tmp_path, files=Files(embedder=given)).embedder()
