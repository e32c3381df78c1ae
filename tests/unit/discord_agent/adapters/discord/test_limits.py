import math
from dataclasses import dataclass

import pytest

from discord_agent.adapters.discord.limits import RateLimits, Route, number

ROUTE = Route("POST", "/channels/{}/messages", "1")
OTHER = Route("POST", "/channels/{}/messages", "2")


@dataclass
class Time:
    now: float = 1000.0

    def monotonic(self) -> float:
        return self.now


def headers(remaining: object, reset_after: object) -> dict[str, str]:
    return {"x-ratelimit-remaining": str(remaining), "x-ratelimit-reset-after": str(reset_after)}


def test_a_route_nothing_is_known_of_is_free() -> None:
    assert RateLimits(Time().monotonic).take(ROUTE) == 0


def test_at_none_remaining_the_route_waits_until_the_reset_and_others_do_not() -> None:
    time = Time()
    limits = RateLimits(time.monotonic)
    limits.learn(ROUTE, headers(0, 2.5))
    assert limits.take(ROUTE) == 2.5
    assert limits.take(OTHER) == 0
    time.now += 2.5
    assert limits.take(ROUTE) == 0


def test_requests_under_way_use_up_what_remains() -> None:
    limits = RateLimits(Time().monotonic)
    limits.learn(ROUTE, headers(2, 5))
    assert [limits.take(ROUTE) for _ in range(3)] == [0, 0, 5]


def test_a_global_block_holds_every_route_but_those_outside_the_global_limit() -> None:
    limits = RateLimits(Time().monotonic)
    limits.block(ROUTE, 3, everything=True)
    assert limits.take(OTHER) == 3
    assert limits.take(OTHER, counts_globally=False) == 0


@pytest.mark.parametrize("odd", [{}, headers("soon", 1), headers(0, "nan"), headers(0, -1), headers(0, "inf")])
def test_headers_that_make_no_sense_teach_nothing(odd: dict[str, str]) -> None:
    limits = RateLimits(Time().monotonic)
    limits.learn(ROUTE, odd)
    assert limits.take(ROUTE) == 0


def test_buckets_of_the_past_are_forgotten() -> None:
    time = Time()
    limits = RateLimits(time.monotonic)
    for index in range(1500):
        limits.learn(Route("GET", "/channels/{}", str(index)), headers(1, 1))
        time.now += 1
    assert len(limits._buckets) <= 1000


@pytest.mark.parametrize(
    ("value", "expected"), [("1.5", 1.5), (2, 2.0), (None, None), ("x", None), (-1, None), (math.inf, None), ([], None)]
)
def test_a_number_is_read_or_not_there(value: object, expected: float | None) -> None:
    assert number(value) == expected
