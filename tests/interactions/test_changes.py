"""Who waits for news is told of it, and of nothing else."""

from __future__ import annotations

from interplay.interactions.changes import Changes


async def test_news_of_one_interaction_wakes_those_who_expect_it() -> None:
    changes = Changes()
    first, second, other = changes.expect("a"), changes.expect("a"), changes.expect("b")
    changes.tell("a")
    assert (first.done(), second.done(), other.done()) == (True, True, False)
    changes.tell("a")
    assert not changes.expect("a").done()


async def test_news_of_any_interaction_wakes_everyone() -> None:
    changes = Changes()
    expected = [changes.expect("a"), changes.expect("b")]
    changes.tell(None)
    assert all(news.done() for news in expected)


async def test_whoever_waited_long_enough_is_forgotten() -> None:
    changes = Changes()
    mine, other = changes.expect("a"), changes.expect("a")
    await changes.wait(mine, "a", 0.01)
    assert mine.cancelled()
    changes.tell("a")
    assert other.done()
    alone = changes.expect("b")
    await changes.wait(alone, "b", 0.01)
    assert changes._waiting == {}
