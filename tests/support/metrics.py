"""Which metrics exist: those that AWS keeps of the kinds of things we have, and those that our code emits."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from discord_agent.declaration import PREFIX, STATUS_RULE
from discord_agent.domain import measures
from discord_agent.system import SYSTEM

_ROOT: Final = Path(__file__).parents[2]
_KEPT: Final[dict[str, dict[str, frozenset[str]]]] = {
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    "AWS/SQS": {
        name: frozenset({"QueueName"})
        for name in ("ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible")
    },
    # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html; also without a function, for all of them
    "AWS/Lambda": {name: frozenset({"FunctionName"}) for name in ("Invocations", "Errors", "Throttles", "Duration")}
    | {"ConcurrentExecutions": frozenset({"FunctionName"})},
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
    "AWS/Events": {"MatchedEvents": frozenset({"RuleName"})},
}
_OF_ALL: Final = {"AWS/Lambda"}
"""Namespaces that keep their metrics without dimensions too."""
_NAMES: Final = {
    "QueueName": {queue.name for queue in SYSTEM.queues.values()},
    "FunctionName": {function.physical_name for function in SYSTEM.functions.values()},
    "RuleName": {STATUS_RULE},
}


@cache
def emitted() -> set[str]:
    """The names of the measures that the product's code records."""
    calls = re.compile(r"\.(?:record|measure)\(\s*measures\.([A-Z_]+)")
    sources = [*(_ROOT / "layers" / "core" / "python").rglob("*.py"), *(_ROOT / "gateway_bridge").glob("*.py")]
    named = {name for source in sources for name in calls.findall(source.read_text(encoding="utf-8"))}
    return {getattr(measures, name).name for name in named}


def exists(namespace: str, name: str, dimensions: Mapping[str, str]) -> bool:
    """Whether somebody keeps this metric of something that is declared."""
    if namespace == measures.NAMESPACE:
        known = any(measure.name == name and dimensions in _possible(measure) for measure in measures.MEASURES)
        return known and name in emitted()
    expected = _KEPT.get(namespace, {}).get(name)
    if expected is None:
        return False
    if not dimensions:
        return namespace in _OF_ALL
    return dimensions.keys() == expected and all(value in _NAMES[key] for key, value in dimensions.items())


def _possible(measure: measures.Measure) -> list[dict[str, str]]:
    service = {"service": PREFIX}
    return [service | {measure.by: value} for value in measure.values] if measure.by else [service]
