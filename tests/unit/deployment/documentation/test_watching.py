"""The tables of alarms and measures say what is declared."""

from deployment.documentation import watching
from discord_agent.domain.measures import MEASURES
from discord_agent.system import SYSTEM


def rows(table: str) -> dict[str, str]:
    return {line.split("`")[1]: line for line in table.splitlines()[2:]}


def test_every_alarm_is_told_with_when_it_sounds_and_what_to_do() -> None:
    told = rows(watching.alarms(SYSTEM))
    assert told.keys() == SYSTEM.alarms.keys()
    assert "of messages |" in told["messages-wait"]
    assert "maximum in 60 s at least 120, 3 times on end | good" in told["messages-wait"]
    assert "[Messages wait too long](RUNBOOK.md#messages-wait-too-long)" in told["messages-wait"]
    assert "sum in 86400 s at least `spend_alarm`" in told["spending"]
    assert "maximum in 60 s below 1, 5 times on end; only with `bridge` | bad" in told["bridge-down"]


def test_every_measure_is_told_with_the_metrics_it_is_charged_as() -> None:
    told = rows(watching.measures())
    assert told.keys() == {measure.name for measure in MEASURES}
    assert told["Runs"].endswith("done, stopped, failed, out_of_turns, out_of_budget, needs_you | 6 |")
    assert told["Cost"].endswith("| 1 |")
