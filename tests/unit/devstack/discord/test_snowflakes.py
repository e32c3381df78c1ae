from hypothesis import given
from hypothesis import strategies as st

from devstack.discord.snowflakes import Snowflakes, at, is_snowflake, seconds_of


@given(st.lists(st.floats(1_500_000_000, 1_900_000_000), min_size=1, max_size=30))
def test_ids_always_grow_even_when_the_clock_goes_back(times: list[float]) -> None:
    clock = iter(times)
    ids = Snowflakes(lambda: next(clock))
    made = [int(ids.next()) for _ in times]
    assert made == sorted(set(made))


@given(st.integers(1_500_000_000, 1_900_000_000))
def test_an_id_tells_its_moment(seconds: int) -> None:
    assert seconds_of(Snowflakes(lambda: seconds).next()) == seconds


def test_ids_go_on_after_the_newest_that_was_stored() -> None:
    last = at(2_000_000_000)
    assert int(Snowflakes(lambda: 1_900_000_000, last).next()) == last + 1


def test_only_positive_numbers_of_64_bits_as_text_are_ids() -> None:
    accepted = [value for value in ("1", "٣", "-1", "0", "", "1e3", str(2**63), 5, None) if is_snowflake(value)]
    assert accepted == ["1"]
