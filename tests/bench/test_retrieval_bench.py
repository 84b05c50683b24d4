"""The bench of search stores measures what it says, on fewer pages."""

import random
from pathlib import Path

from bench import retrieval
from interplay.testing.scripted_embedder import ScriptedEmbedder


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


def test_summaries_do_not_stand_on_their_pages():
    texts = ["What it does in short words.\n\n" + "word " * 30, "Too short.\n\nx", "No rest " * 9]
    assert retrieval.summarised(texts) == [("What it does in short words.", "word " * 29 + "word")]


async def test_each_way_to_search_is_measured_for_each_kind_of_question(tmp_path: Path):
    found = await retrieval.compare(tmp_path, ScriptedEmbedder(), pages=60, questions=10)
    assert set(found.recalls) == set(retrieval.KINDS)
    for recalls in found.recalls.values():
        assert set(recalls) == {"words", "vectors", "hybrid"}
        assert recalls["words"] > recalls["vectors"]
    assert found.embedding > 0


def test_searches_among_many_are_timed(tmp_path: Path):
    found = retrieval.large(tmp_path, passages=2_000)
    assert set(found) == {"words", "vectors", "hybrid", "hybrid, filtered"}
    assert all(taken > 0 for taken in found.values())


def test_both_rankings_together_must_be_better_than_either_over_all_questions():
    def good(words: float, vectors: float, hybrid: float) -> bool:
        first = {"words": 0.9, "vectors": 0.5, "hybrid": 0.89}
        second = {"words": words, "vectors": vectors, "hybrid": hybrid}
        return retrieval.Compared({"words": first, "summaries": second}, 1.0).good

    assert good(0.7, 0.8, 0.85)
    assert not good(0.7, 0.8, 0.70)
    assert not good(0.7, 0.95, 0.9)
