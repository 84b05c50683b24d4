"""`python -m bench.corpus`: what the corpus engine takes to index a folder, and to search it.

The pages are made from a seed, so every run measures the same work: articles of about 6 KB in
markdown and HTML. Asked for: 1,000 pages in at most 2 s, and a search in at most 10 ms (median).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from interplay.contracts.egress import Guard
from interplay.contracts.engine import Query
from interplay.plugins.engines.corpus import Corpus, CorpusConfig

_SYLLABLES = [a + b for a in "bcdfghjklmnprstvwz" for b in "aeiou"]


class Lent:
    """The part of Surroundings that the engine uses."""

    guard = Guard()
    records: Any = None
    blobs: Any = None

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def folder(self, name: str) -> Path:
        """As `cache`."""
        return self.cache(name)

    def cache(self, name: str) -> Path:
        """A folder of the run."""
        (self._folder / name).mkdir(parents=True, exist_ok=True)
        return self._folder / name

    def engines(self) -> tuple[Any, ...]:
        """None."""
        return ()

    def reader(self) -> Any:
        """None."""
        return None


def write_pages(folder: Path, pages: int, chance: random.Random) -> list[str]:
    """Fills a folder; answers queries of eight words, each taken from one page."""
    words = ["".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4))) for _ in range(20_000)]
    weights = [1 / (rank + 10) for rank in range(len(words))]
    queries: list[str] = []
    for number in range(pages):
        text = chance.choices(words, weights, k=900)
        sentences = [" ".join(text[at : at + 15]) + "." for at in range(0, 900, 15)]
        title = " ".join(chance.choices(words, k=4))
        if number % 2:
            body = "".join(f"<p>{sentence}</p>\n" for sentence in sentences)
            page = f"<html><head><title>{title}</title></head><body>{body}</body></html>"
            (folder / f"{number}.html").write_text(page)
        else:
            (folder / f"{number}.md").write_text(f"# {title}\n\n" + "\n\n".join(sentences))
        start = chance.randrange(880)
        queries.append(" ".join(text[start : start + 8]))
    return queries


async def measure(pages: int, searches: int, seed: int) -> dict[str, Any]:
    """One run; times in milliseconds."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="bench-corpus-") as scratch:
        folder = Path(scratch) / "pages"
        folder.mkdir()
        queries = write_pages(folder, pages, chance)
        config = CorpusConfig(folder=str(folder), look_again_seconds=3_600)
        corpus = Corpus(config, Lent(Path(scratch)))
        start = time.perf_counter()
        await corpus.search(Query(text="nothing"))
        indexed = time.perf_counter() - start
        times: list[float] = []
        right = 0
        for _ in range(searches):
            number = chance.randrange(pages)
            start = time.perf_counter()
            hits = await corpus.search(Query(text=queries[number]))
            times.append(time.perf_counter() - start)
            right += any(hit.url.startswith(f"corpus:{number}.") for hit in hits)
        await corpus.close()
        again = Corpus(config, Lent(Path(scratch)))
        start = time.perf_counter()
        await again.search(Query(text="nothing"))
        looked = time.perf_counter() - start
        await again.close()
    return {
        "pages": pages,
        "index_ms": round(indexed * 1_000, 1),
        "look_again_ms": round(looked * 1_000, 1),
        "search_ms_median": round(statistics.median(times) * 1_000, 2),
        "search_ms_p99": round(sorted(times)[int(len(times) * 0.99)] * 1_000, 2),
        "source_in_top_10": right / searches,
    }


def main() -> None:
    """Prints the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=1_000)
    parser.add_argument("--searches", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print(json.dumps(asyncio.run(measure(given.pages, given.searches, given.seed)), indent=2))


if __name__ == "__main__":
    main()
