"""The bench of search stores measures what it says, on fewer pages."""

import random
from pathlib import Path

from bench import retrieval


def test_pages_are_the_same_each_time_and_questions_are_made_of_them():
    texts = retrieval.documentation(50)
    assert texts == retrieval.documentation(50)
    assert len(set(texts)) == 50
    words = retrieval.question(texts[0], random.Random(1)).split()
    assert len(words) == retrieval.WORDS
    assert all(word in texts[0].lower() for word in words)


def test_what_is_asked_for_is_found(tmp_path: Path):
    found = retrieval.measure(tmp_path, pages=200, questions=50)
    assert (found.pages, found.questions) == (200, 50)
    assert found.recall >= retrieval.RECALL
    assert 0 < found.search < 0.1
