"""The alarms watch what exists, are few, and say what to do."""

import pytest

from discord_agent.declaration import Alarm, Comparison, Kind, Metric, Ref
from discord_agent.domain import measures
from discord_agent.operations import own
from discord_agent.system import SYSTEM
from tests.support.metrics import emitted, exists

ALARMS = sorted(SYSTEM.alarms.values(), key=lambda alarm: alarm.name)
DOLLARS_PER_ALARM = 0.10
DAY = 86400


def identity(alarm: Alarm) -> str:
    return alarm.name


@pytest.mark.parametrize("alarm", ALARMS, ids=identity)
def test_an_alarm_watches_a_metric_that_exists(alarm: Alarm) -> None:
    resolved = {
        name: SYSTEM.queues[value.key].name
        if isinstance(value, Ref) and value.kind is Kind.QUEUE
        else SYSTEM.functions[value.key].physical_name
        if isinstance(value, Ref)
        else value
        for name, value in alarm.metric.dimensions
    }
    assert exists(alarm.metric.namespace, alarm.metric.name, resolved)


def test_a_metric_that_nobody_keeps_is_told_apart() -> None:
    assert not exists("AWS/SQS", "AgeOfOldestMessage", {"QueueName": SYSTEM.queues["messages"].name})
    assert not exists("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": "another"})
    assert not exists("AWS/Lambda", "Errors", {"Function": "discord-agent-turn"})
    assert not exists(measures.NAMESPACE, "Outcomes", {"service": "discord-agent"})
    assert not exists(measures.NAMESPACE, "Runs", {"service": "discord-agent", "Outcome": "won"})


def test_every_dead_letter_queue_has_an_alarm() -> None:
    dead = {queue.dead_letters for queue in SYSTEM.queues.values() if queue.dead_letters}
    dead |= {function.dead_letters for function in SYSTEM.functions.values() if function.dead_letters}
    watched = {
        value.key for alarm in ALARMS for _, value in alarm.metric.dimensions if isinstance(value, Ref)
    } & SYSTEM.queues.keys()
    assert dead <= watched


def test_without_the_bridge_a_month_of_alarms_costs_less_than_a_dollar() -> None:
    assert len([alarm for alarm in ALARMS if not alarm.only_with]) * DOLLARS_PER_ALARM < 1


@pytest.mark.parametrize("alarm", ALARMS, ids=identity)
def test_cloudwatch_takes_the_alarm(alarm: Alarm) -> None:
    assert alarm.period in {60, 300, 3600, DAY}
    assert alarm.period * alarm.periods <= DAY
    assert len(alarm.description) <= 1024
    assert alarm.only_with in {"", "bridge"}
    if isinstance(alarm.threshold, Ref):
        assert alarm.threshold.kind is Kind.SETTING
        assert float(SYSTEM.settings[alarm.threshold.key].default) > 0


def test_only_silence_of_the_bridge_is_a_bad_sign() -> None:
    breaching = {alarm.name for alarm in ALARMS if alarm.missing == "breaching"}
    assert breaching == {alarm.name for alarm in ALARMS if alarm.comparison is Comparison.BELOW} == {"bridge-down"}


def test_a_measure_is_one_metric_per_value_of_its_dimension() -> None:
    assert own(measures.RUNS, "done") == Metric(
        "DiscordAgent", "Runs", (("service", "discord-agent"), ("Outcome", "done"))
    )
    assert own(measures.COST) == Metric("DiscordAgent", "Cost", (("service", "discord-agent"),))


def test_everything_measured_is_recorded_somewhere() -> None:
    assert emitted() == {measure.name for measure in measures.MEASURES}
