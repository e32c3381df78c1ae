from hypothesis import given
from hypothesis import strategies as st

from devstack.discord.limits import Counters
from devstack.discord.rules import Window


@given(st.integers(1, 10), st.lists(st.integers(0, 3), max_size=60))
def test_no_window_lets_more_through_than_it_says(requests: int, pauses: list[int]) -> None:
    now = 0
    counters = Counters(lambda: now)
    window = Window(requests, 5)
    windows: list[list[int]] = []
    for pause in pauses:
        now += pause
        if counters.take("key", window) == 0:
            if not windows or now >= windows[-1][0] + window.seconds:
                windows.append([])
            windows[-1].append(now)
    assert all(len(passed) <= requests for passed in windows)


def test_waiting_as_long_as_told_is_enough() -> None:
    now = 100.0
    counters = Counters(lambda: now)
    window = Window(1, 5)
    assert counters.take("key", window) == 0
    now += 2
    wait = counters.take("key", window)
    now += wait
    assert (wait, counters.take("key", window)) == (3, 0)


def test_keys_do_not_share_a_window() -> None:
    counters = Counters(lambda: 0.0)
    assert [counters.take(key, Window(1, 5)) for key in ("a", "b")] == [0, 0]
