import pytest

from services.background import BackgroundThreads, Gathered
from tests.fakes import Backlog
from tests.services.threads import at_once

MOST = 3


def gathered(background: Backlog) -> tuple[Gathered[int], list[list[int]]]:
    taken: list[list[int]] = []
    return Gathered(background, taken.append, most=MOST), taken


def test_what_gathers_is_taken_together() -> None:
    background = Backlog()
    items, taken = gathered(background)

    for item in (1, 2):
        items.add(item)

    assert len(background.tasks) == 1
    background.run()
    assert taken == [[1, 2]]


def test_no_more_is_taken_at_a_time_than_is_asked_for() -> None:
    background = Backlog()
    items, taken = gathered(background)

    for item in range(5):
        items.add(item)
    background.run()

    assert taken == [[0, 1, 2], [3, 4]]


def test_what_comes_after_a_bunch_was_taken_is_taken_too() -> None:
    background = Backlog()
    items, taken = gathered(background)

    items.add(1)
    background.run()
    items.add(2)
    background.run()

    assert taken == [[1], [2]]


def test_what_could_not_be_taken_holds_up_nothing() -> None:
    background = Backlog()
    taken: list[int] = []

    def take(items: list[int]) -> None:
        if 1 in items:
            raise ConnectionError
        taken.extend(items)

    items = Gathered(background, take, most=MOST)
    items.add(1)
    with pytest.raises(ConnectionError):
        background.run()
    items.add(2)
    background.run()

    assert taken == [2]


def test_no_item_is_lost_or_taken_twice_between_threads() -> None:
    taken: list[int] = []
    background = BackgroundThreads("test", threads=2, emit=print)
    items = Gathered(background, taken.extend, most=MOST)

    def add_many(number: int) -> None:
        for item in range(100):
            items.add(100 * number + item)

    at_once(8, add_many)
    background.close()

    assert sorted(taken) == list(range(800))
