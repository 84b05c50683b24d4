"""Search stores: how long pages take to be indexed, how long a search takes, what it finds.

    python -m bench.retrieval

The pages are the standard library's own documentation strings, one to a page. A question is made
of some of the words of a page, chosen by a fixed seed; the page is what must be found. Each
measure has its limit; the exit code is 1 when one is past it. The words are the page's own: it says
how well words are found, and nothing of questions that are asked in others.
"""

from __future__ import annotations

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

import msgspec

from interplay.files.search.index import Index
from interplay.files.search.passages import Passage

PAGES, QUESTIONS, TOP = 1_000, 300, 10
WORDS = 3
INDEX_SECONDS, SEARCH_SECONDS, RECALL = 2.0, 0.010, 0.9
"""Limits: CPU seconds for all pages, median CPU seconds of a search, share of pages found."""

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


def main() -> int:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder))
    print(f"{found.pages} pages indexed    {found.index:8.3f} s CPU  (limit {INDEX_SECONDS})")
    print(f"a search, median      {found.search * 1e3:8.3f} ms CPU (limit {SEARCH_SECONDS * 1e3})")
    print(f"recall@{TOP} of {found.questions:<11} {found.recall:8.3f}        (limit {RECALL})")
    return 0 if found.good else 1


if __name__ == "__main__":
    sys.exit(main())
