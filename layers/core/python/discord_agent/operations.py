"""What watches the running system: its alarms, few because each metric in one is charged for every month.

Steps that fail are retried, and caught, by their state machine; what is left of it is a failed execution. So functions have
no alarms of their own, except the one that people wait for.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from discord_agent.declaration import PREFIX, STATUS_RULE, Alarm, Comparison, Kind, Metric, Missing, Queue, Ref
from discord_agent.domain import measures
from discord_agent.domain.measures import Measure

_DRAIN: Final = "Drain a dead-letter queue"


def own(measure: Measure, value: str = "") -> Metric:
    """The metric that a measure of ours becomes; ``value`` is that of the dimension it is told apart by."""
    return Metric(measures.NAMESPACE, measure.name, (("service", PREFIX), *measure.dimensions(value).items()))


def queue_metric(name: str, queue: str) -> Metric:
    """A metric that SQS keeps of a declared queue."""
    return Metric("AWS/SQS", name, (("QueueName", Ref(Kind.QUEUE, queue)),))


def function_metric(name: str, function: str = "") -> Metric:
    """A metric that Lambda keeps of a declared function, or of all functions in the account and region."""
    return Metric("AWS/Lambda", name, (("FunctionName", Ref(Kind.FUNCTION, function)),) if function else ())


FAILED_EXECUTIONS: Final = Metric("AWS/Events", "MatchedEvents", (("RuleName", STATUS_RULE),))
"""Executions that did not succeed, of all machines: what their rule matched."""


def alarms(queues: Mapping[str, Queue]) -> Iterator[Alarm]:
    """Every alarm."""
    for key in queues:
        if key.endswith("-dead"):
            yield _dead_letters(key)
    yield from _flow()
    yield from _money_and_bridge()


def _dead_letters(key: str) -> Alarm:
    return Alarm(
        key,
        f"Messages lie in the queue {key}: no attempt could handle them",
        _DRAIN,
        queue_metric("ApproximateNumberOfMessagesVisible", key),
        "Maximum",
        Comparison.AT_LEAST,
        threshold=1,
        # A queue that nobody touched for hours sends no data; what lies in it lies there still.
        missing=Missing.UNCHANGED,
    )


def _flow() -> Iterator[Alarm]:
    yield Alarm(
        "messages-wait",
        "What happened in Discord waits for minutes before intake takes it",
        "Messages wait too long",
        queue_metric("ApproximateAgeOfOldestMessage", "messages"),
        "Maximum",
        Comparison.AT_LEAST,
        threshold=120,
        period=60,
        periods=3,
    )
    yield Alarm(
        "executions-fail",
        "Executions failed, timed out or were aborted",
        "Redrive a failed run",
        FAILED_EXECUTIONS,
        "Sum",
        Comparison.AT_LEAST,
        threshold=1,
    )
    yield Alarm(
        "functions-throttled",
        "Functions of this account and region were throttled for a quarter of an hour",
        "Functions are throttled",
        function_metric("Throttles"),
        "Sum",
        Comparison.AT_LEAST,
        threshold=1,
        periods=3,
    )
    yield Alarm(
        "interactions-fail",
        "Slash commands and buttons end in an error",
        "Interactions fail",
        function_metric("Errors", "interactions"),
        "Sum",
        Comparison.AT_LEAST,
        threshold=1,
    )


def _money_and_bridge() -> Iterator[Alarm]:
    yield Alarm(
        "spending",
        "Models cost more within a day than the setting spend_alarm says",
        "The budget is exceeded",
        own(measures.COST),
        "Sum",
        Comparison.AT_LEAST,
        threshold=Ref(Kind.SETTING, "spend_alarm"),
        period=86400,
    )
    yield Alarm(
        "bridge-down",
        "The gateway bridge does not run, or hears nothing from Discord",
        "The bridge is down",
        own(measures.BRIDGE_CONNECTED),
        "Maximum",
        Comparison.BELOW,
        threshold=1,
        period=60,
        periods=5,
        missing=Missing.BAD,
        only_with="bridge",
    )
