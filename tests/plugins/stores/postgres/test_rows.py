"""What columns hold."""

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from interplay.plugins.stores.postgres import rows

ANY = st.text(st.characters(codec=None, exclude_categories=()))


@given(ANY)
def test_any_text_comes_back_and_is_what_a_column_takes(text):
    kept = rows.stored(text)
    assert rows.told(kept) == text
    assert "\x00" not in kept
    kept.encode()


@given(ANY, ANY)
def test_different_texts_are_kept_as_different_ones(one, other):
    assert (rows.stored(one) == rows.stored(other)) == (one == other)
    assert (rows.indexed(one) == rows.indexed(other)) == (one == other)


def test_plain_text_is_kept_as_it_is():
    assert rows.stored("v1_ü\n") == "v1_ü\n"
    assert rows.indexed("k" * 500) == "k" * 500
    assert len(rows.indexed("ü" * 5_000)) < 100


def test_every_statement_has_a_sentence_and_is_used():
    folder = Path(rows.__file__).parent
    sql = "".join(path.read_text() for path in folder.glob("*.sql"))
    code = "".join(path.read_text() for path in folder.glob("*.py"))
    for name, body in re.findall(r"^-- name: (\w+)\n(.*?)(?=^-- name: |\Z)", sql, re.S | re.M):
        assert body.startswith("-- "), f"{name} has no sentence"
        used = f'"{name}"' in code or f"{{{name}}}" in sql
        assert used, f"{name} is not used"


def test_placeholders_are_filled_in():
    assert not any(re.search(r"\{\w+\}", sql) for sql in rows.SQL.values())
