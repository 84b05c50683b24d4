"""Long texts come back as they were, and leave few gaps."""

import pytest

from interplay.plugins.stores.sqlite import schema, texts


@pytest.fixture
def db(tmp_path):
    connection = schema.open_writer(tmp_path / "texts.db", "normal")
    cursor = connection.cursor()
    cursor.execute("BEGIN")
    yield cursor
    connection.close()


SIZES = [
    0,
    1,
    799,
    800,
    801,
    1_601,
    16 * 1024,
    16 * 1024 + 1,
    256 * 1024,
    256 * 1024 + 1,
    3_000_000,
]
READ = """SELECT CAST(group_concat(data, '') AS BLOB) FROM pieces WHERE at >= ? AND at < ?"""


@pytest.mark.parametrize("size", SIZES)
def test_a_text_of_any_size_comes_back_as_it_was(db, size):
    text = bytes(number * 7 % 256 for number in range(min(size, 10_000)))
    text = (text * (size // 10_000 + 1))[:size]
    before, span, after = texts.put(db, b"before"), texts.put(db, text), texts.put(db, b"after")
    for (first, count), expected in ((before, b"before"), (span, text), (after, b"after")):
        found = db.execute(READ, (first, first + count)).fetchone()[0]
        assert (found or b"") == expected
    texts.delete(db, span)
    assert db.execute("SELECT count(*) FROM pieces").fetchone() == (2,)


@pytest.mark.parametrize("size", [300, 700, 1_800, 3_300, 5_000, 9_000, 17_000, 40_000])
def test_texts_fill_their_pages(db, size):
    before = db.execute("PRAGMA page_count").fetchone()[0]
    for _ in range(400_000 // size):
        texts.put(db, b"x" * size)
    pages = db.execute("PRAGMA page_count").fetchone()[0] - before
    assert pages * 4_096 / (400_000 // size * size) < 1.2
