"""Search stores: how long pages take to be indexed, how long a search takes, what it finds.

    python -m bench.retrieval [--rerank] [--large]

The pages are the standard library's own documentation strings, one to a page, each without its
first sentences. Two kinds of questions are asked: some of the words of a page, chosen by a fixed
seed, and the first sentences that were taken away, which say what the page is about in words of
their own. The page is what must be found: by its words, by its vector, by both, and with `--rerank`
by a reranker beside. Vectors need the extra `search` and `interplay models pull bge-small-en-v1.5`.
`--large` times searches among 100,000 passages. Each measure has its limit; the exit code is 1 when
one is past it.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import pkgutil
import random
import re
import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import msgspec

from interplay.contracts import registry
from interplay.contracts.embedder import Embedder
from interplay.contracts.failure import NotInstalled
from interplay.contracts.reranker import Reranker
from interplay.files.search.index import Hit, Index
from interplay.files.search.passages import Passage
from interplay.files.search.vectors import Near, Vectors, halved

PAGES, QUESTIONS, TOP = 1_000, 300, 10
WORDS = 3
INDEX_SECONDS, SEARCH_SECONDS, RECALL = 2.0, 0.010, 0.9
"""Limits: CPU seconds for all pages, median CPU seconds of a search, share of pages found."""
LARGE, LARGE_SECONDS = 100_000, 0.050
RERANKED = 20
SLACK = 0.02
"""By how much both rankings together may be below the better one for one kind of question."""
KINDS = ("words", "summaries")

PACKAGES = (
    *("argparse", "array", "ast", "asyncio", "base64", "bisect", "calendar", "codecs"),
    *("collections", "concurrent.futures", "configparser", "contextlib", "copy", "csv", "datetime"),
    *("decimal", "difflib", "dis", "doctest", "email", "enum", "fractions", "ftplib", "functools"),
    *("gettext", "glob", "gzip", "heapq", "html", "http", "imaplib", "importlib", "inspect", "io"),
    *("ipaddress", "itertools", "json", "locale", "logging", "mailbox", "math", "mimetypes"),
    *("multiprocessing", "optparse", "os", "pathlib", "pdb", "pickle", "platform", "plistlib"),
    *("poplib", "pprint", "queue", "random", "re", "sched", "secrets", "shelve", "shlex"),
    *("shutil", "signal", "smtplib", "socket", "socketserver", "sqlite3", "ssl", "statistics"),
    *("string", "subprocess", "tarfile", "tempfile", "textwrap", "threading", "timeit", "tokenize"),
    *("trace", "traceback", "types", "typing", "unittest", "urllib", "uuid", "wave", "weakref"),
    *("wsgiref", "xml", "xmlrpc", "zipfile", "zoneinfo"),
)


class Found(msgspec.Struct):
    """What was measured; times are CPU seconds."""

    pages: int
    questions: int
    index: float
    search: float
    recall: float

    @property
    def good(self) -> bool:
        """Whether nothing is past its limit."""
        times = self.index <= INDEX_SECONDS and self.search <= SEARCH_SECONDS
        return times and self.recall >= RECALL


def documentation(count: int) -> list[str]:
    """So many documentation strings of at least 30 words, each once, always the same."""
    found: dict[str, None] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in PACKAGES:
            for module in _modules(name):
                for _, thing in sorted(inspect.getmembers(module, _documented)):
                    members = inspect.getmembers(thing) if inspect.isclass(thing) else []
                    for one in [thing, *(value for _, value in members if callable(value))]:
                        text = inspect.getdoc(one) or ""
                        if len(text.split()) >= 30:
                            found.setdefault(text)
    texts = list(found)
    random.Random(1).shuffle(texts)
    return texts[:count]


def _modules(name: str) -> list[object]:
    module = importlib.import_module(name)
    inner = getattr(module, "__path__", None)
    names = [part.name for part in pkgutil.iter_modules(inner)] if inner else []
    kept = [part for part in names if not part.startswith("_") and part != "idle_test"]
    made: list[object] = [module]
    for part in kept:
        try:
            made.append(importlib.import_module(f"{name}.{part}"))
        except ImportError:
            continue  # a part for another system
    return made


def _documented(thing: object) -> bool:
    return inspect.isclass(thing) or inspect.isroutine(thing)


def question(text: str, dice: random.Random) -> str:
    """Some words of a page, without the shortest."""
    words = list(dict.fromkeys(re.findall(r"[a-z]{4,}", text.lower())))
    return " ".join(dice.sample(words, min(WORDS, len(words))))


def measure(folder: Path, pages: int = PAGES, questions: int = QUESTIONS) -> Found:
    """Indexes pages in a folder and asks for some of them."""
    texts, dice = documentation(pages), random.Random(2)
    index = Index(folder / "bench.sqlite")
    begun = time.process_time()
    index.add("d", "documentation", {}, [Passage(text, n) for n, text in enumerate(texts, 1)])
    taken = time.process_time() - begun
    times, hits = list[float](), 0
    asked = dice.sample(range(len(texts)), min(questions, len(texts)))
    for number in asked:
        words = question(texts[number], dice)
        begun = time.process_time()
        found = index.search(words, TOP)
        times.append(time.process_time() - begun)
        hits += number + 1 in [hit.page for hit in found]
    return Found(len(texts), len(asked), taken, statistics.median(times), hits / len(asked))


class Compared(msgspec.Struct):
    """Recall of each way to search, by kind of question, and CPU seconds of the embedder."""

    recalls: dict[str, dict[str, float]]
    embedding: float
    """For all pages."""

    @property
    def good(self) -> bool:
        """Whether both rankings together find more than each of them over all questions, and for
        no kind of question less than the better one by more than SLACK."""
        kinds = list(self.recalls.values())
        whole = {way: sum(found[way] for found in kinds) for way in ("words", "vectors", "hybrid")}
        return whole["hybrid"] > max(whole["words"], whole["vectors"]) and all(
            found["hybrid"] >= max(found["words"], found["vectors"]) - SLACK for found in kinds
        )


def summarised(texts: list[str]) -> list[tuple[str, str]]:
    """First sentences and the rest, of texts that have enough of both; no summary twice."""
    found: dict[str, str] = {}
    for text in texts:
        head, _, rest = text.partition("\n\n")
        summary = " ".join(head.split())
        if 4 <= len(summary.split()) <= 30 and len(rest.split()) >= 20:
            found.setdefault(summary, " ".join(rest.split()[:200]))
    return list(found.items())


async def compare(
    folder: Path,
    embedder: Embedder,
    reranker: Reranker | None = None,
    *,
    pages: int = PAGES,
    questions: int = QUESTIONS,
    seed: int = 2,
) -> Compared:
    """Indexes pages without their summaries and asks for some of them in each way."""
    pairs = summarised(documentation(5 * pages))[:pages]
    texts = [rest for _, rest in pairs]
    begun = time.process_time()
    halves = halved(await embedder.embed(texts, "passage"))
    taken = time.process_time() - begun
    facts, index = embedder.facts, Index(folder / "compared.sqlite")
    vectors = Vectors(embedder=facts.name, dims=facts.dims, halves=halves)
    index.add("d", "pages", {}, [Passage(text, n) for n, text in enumerate(texts)], vectors)
    dice = random.Random(seed)
    asked = dice.sample(range(len(texts)), min(questions, len(texts)))
    recalls: dict[str, dict[str, float]] = {}
    for kind in KINDS:
        hits: dict[str, int] = {}
        for number in asked:
            text = question(texts[number], dice) if kind == "words" else pairs[number][0]
            for way, found in (await _ways(index, embedder, reranker, text)).items():
                hits[way] = hits.get(way, 0) + (number in [hit.page for hit in found[:TOP]])
        recalls[kind] = {way: count / len(asked) for way, count in hits.items()}
    return Compared(recalls, taken)


async def _ways(
    index: Index, embedder: Embedder, reranker: Reranker | None, text: str
) -> dict[str, list[Hit]]:
    near = Near(embedder=embedder.facts.name, vector=await embedder.embed([text], "query"))
    found = {
        "words": index.search(text, TOP),
        "vectors": index.search("", TOP, None, near),
        "hybrid": index.search(text, RERANKED, None, near),
    }
    if reranker is not None:
        hits = found["hybrid"]
        scores = await reranker.scores(text, [hit.text for hit in hits])
        order = sorted(range(len(hits)), key=lambda place: -scores[place])
        found["reranked"] = [hits[place] for place in order]
    return found


def large(folder: Path, passages: int = LARGE) -> dict[str, float]:
    """Median CPU seconds of a search among very many passages, with words as frequent as in texts
    and vectors of no meaning."""
    import numpy

    dice, chance = random.Random(1), numpy.random.default_rng(1)
    words = ["the", "of", "and", "what", "is", *(f"w{number}" for number in range(30_000))]
    weights = [1 / place for place in range(1, len(words) + 1)]
    index, made = Index(folder / "large.sqlite"), min(1_000, passages)
    for number in range(passages // made):
        vectors: Any = chance.standard_normal((made, 384))
        vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
        halves = vectors.astype("<f2").tobytes()
        texts = [" ".join(dice.choices(words, weights, k=100)) for _ in range(made)]
        given = Vectors(embedder="e", dims=384, halves=halves)
        index.add(f"d{number}", "t", {}, [Passage(text) for text in texts], given)
    vector = (numpy.ones(384) / 384**0.5).astype("<f4").tobytes()
    near, text = Near(embedder="e", vector=vector), "what is the w500 of w9000 and w12000"
    some = [f"d{number}" for number in range(0, passages // made, 2)]
    return {
        "words": _median(lambda: index.search(text, TOP)),
        "vectors": _median(lambda: index.search("", TOP, None, near)),
        "hybrid": _median(lambda: index.search(text, TOP, None, near)),
        "hybrid, filtered": _median(lambda: index.search(text, TOP, some, near)),
    }


def _median(search: Any) -> float:
    times: list[float] = []
    for _ in range(9):
        begun = time.process_time()
        search()
        times.append(time.process_time() - begun)
    return statistics.median(times)


class Fetched:
    """As much of a server as the plugins need."""

    def cache(self, name: str) -> Path:
        """Where fetched models lie."""
        return Path("~/.cache/interplay").expanduser() / name


def plugin(group: str) -> Any:
    """The embedder or reranker that runs here. Raises NotInstalled."""
    kind: Any = registry.load(f"interplay.{group}", "onnx")
    return kind(kind.Config(), Fetched())


async def _compared(folder: Path, *, rerank: bool) -> bool:
    try:
        embedder = plugin("embedders")
        reranker = plugin("rerankers") if rerank else None
    except NotInstalled as reason:
        print(f"no vectors: {reason}")
        return False
    try:
        found = await compare(folder, embedder, reranker)
    finally:
        for one in filter(None, (embedder, reranker)):
            await one.close()
    ways = list(found.recalls["words"])
    print(f"embedding {PAGES} pages {found.embedding:8.3f} s CPU")
    print(f"recall@{TOP} by        " + "".join(f"{way:>10}" for way in ways))
    for kind, recalls in found.recalls.items():
        print(f"asked in {kind:11}" + "".join(f"{recalls[way]:10.3f}" for way in ways))
    return found.good


def main() -> int:
    """Prints the tables."""
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder))
        print(f"{found.pages} pages indexed    {found.index:8.3f} s CPU  (limit {INDEX_SECONDS})")
        told = f"{found.search * 1e3:8.3f} ms CPU (limit {SEARCH_SECONDS * 1e3})"
        print(f"a search, median      {told}")
        print(f"recall@{TOP} of {found.questions:<11} {found.recall:8.3f}        (limit {RECALL})")
        good = found.good
        good &= asyncio.run(_compared(Path(folder), rerank="--rerank" in sys.argv))
        for way, taken in (large(Path(folder)) if "--large" in sys.argv else {}).items():
            told = f"{taken * 1e3:8.3f} ms CPU (limit {LARGE_SECONDS * 1e3})"
            print(f"{LARGE} passages, {way:17} {told}")
            good &= taken <= LARGE_SECONDS
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
