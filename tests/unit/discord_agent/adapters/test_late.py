from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest

from discord_agent.adapters.late import late


class Maker:
    """Counts what it makes."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> Any:
        self.made += 1
        return SimpleNamespace(number=self.made)


def test_nothing_is_made_before_it_is_used() -> None:
    make = Maker()
    made = late(make)
    assert make.made == 0
    assert (made.number, made.number) == (1, 1)
    assert make.made == 1


def test_threads_that_use_it_at_once_share_what_is_made() -> None:
    make, together = Maker(), Barrier(8)
    made = late(make)

    def use(_: int) -> int:
        together.wait(timeout=10)
        return int(made.number)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(use, range(8))) == {1}


def test_what_it_does_not_have_is_no_attribute_of_it() -> None:
    with pytest.raises(AttributeError, match="colour"):
        _ = late(Maker()).colour


def test_what_cannot_be_made_is_tried_again_at_the_next_use() -> None:
    faults = [OSError("not yet")]

    def make() -> Any:
        if faults:
            raise faults.pop()
        return SimpleNamespace(number=7)

    made = late(make)
    with pytest.raises(OSError, match="not yet"):
        _ = made.number
    assert made.number == 7
