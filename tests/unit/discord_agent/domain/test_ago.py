from datetime import UTC, datetime, timedelta

import pytest

from discord_agent.domain.ago import ago

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("passed", "told"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1m ago"),
        (timedelta(minutes=59), "59m ago"),
        (timedelta(hours=1), "1h ago"),
        (timedelta(hours=23, minutes=59), "23h ago"),
        (timedelta(days=1), "1d ago"),
        (timedelta(days=6, hours=23), "6d ago"),
        (timedelta(days=7), "13 Mar 2026"),
    ],
)
def test_times_are_told_in_the_largest_whole_unit_and_from_a_week_on_as_a_date(passed: timedelta, told: str) -> None:
    assert ago(NOW - passed, NOW) == told
