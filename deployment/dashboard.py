"""The CloudWatch dashboard, drawn from the declaration.

Its text holds ``@partition@``, ``@region@`` and ``@account@``, which whoever deploys replaces; everything else is final.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from copy import replace
from dataclasses import dataclass
from typing import Any, Final

from discord_agent.declaration import Kind, Metric, Ref, System
from discord_agent.domain import measures
from discord_agent.operations import FAILED_EXECUTIONS, function_metric, own, queue_metric

type Json = dict[str, Any]

PLACEHOLDERS: Final = ("@partition@", "@region@", "@account@")
_WIDTH, _HEIGHT = 8, 6
_COLUMNS: Final = 24 // _WIDTH
_INVOKED: Final = ("interactions", "intake", "classify", "turn", "sandbox", "fail")
"""The functions whose figures are drawn: each metric beyond the first fifty makes a dashboard cost money."""


@dataclass(frozen=True, slots=True)
class Widget:
    """A piece of the dashboard; there only while the setting ``only_with``, if any, is ``true``."""

    body: Json
    only_with: str = ""


@dataclass(frozen=True, slots=True)
class _Line:
    metric: Metric
    statistic: str
    label: str


def body(system: System, settings: Mapping[str, str]) -> str:
    """The dashboard of a deployment with these settings, as text with placeholders."""
    chosen = [each.body for each in widgets(system) if not each.only_with or settings.get(each.only_with) == "true"]
    return json.dumps({"widgets": chosen})


def widgets(system: System) -> list[Widget]:
    """Everything on the dashboard, those that are not always there last."""
    always = [_alarms(system), *_graphs(system)]
    optional = [
        Widget(_graph(system, "Bridge", [_Line(own(measures.BRIDGE_CONNECTED), "Minimum", "connected")]), "bridge")
    ]
    return [_placed(place, widget) for place, widget in enumerate([*always, *optional])]


def _placed(place: int, widget: Widget) -> Widget:
    row, column = divmod(place, _COLUMNS)
    at = {"x": column * _WIDTH, "y": row * _HEIGHT, "width": _WIDTH, "height": _HEIGHT}
    return replace(widget, body=at | widget.body)


def _alarms(system: System) -> Widget:
    names = [alarm.physical_name for alarm in system.alarms.values() if not alarm.only_with]
    arns = [f"arn:@partition@:cloudwatch:@region@:@account@:alarm:{name}" for name in names]
    return Widget({"type": "alarm", "properties": {"title": "Alarms", "alarms": arns}})


def _graphs(system: System) -> Iterator[Widget]:
    for title, lines in _contents(system):
        yield Widget(_graph(system, title, lines))


def _contents(system: System) -> Iterator[tuple[str, list[_Line]]]:
    yield "Runs by outcome", [_Line(own(measures.RUNS, value), "Sum", value) for value in measures.RUNS.values]
    yield "Cost in dollars", [_Line(own(measures.COST), "Sum", "models")]
    yield "Tokens", [_Line(own(measures.TOKENS), "Sum", "tokens")]
    yield (
        "Turns and escalations",
        [_Line(own(each), "Sum", each.name.lower()) for each in (measures.TURNS, measures.ESCALATIONS)],
    )
    yield (
        "Waiting, in seconds",
        [
            _Line(own(measures.QUEUE_AGE), "p90", "for intake"),
            _Line(own(measures.STOP_LATENCY), "p90", "for a stop"),
            _Line(queue_metric("ApproximateAgeOfOldestMessage", "messages"), "Maximum", "oldest in the queue"),
        ],
    )
    yield (
        "Faults of others",
        [
            _Line(own(measures.RATE_LIMITS), "Sum", "Discord asks to wait"),
            _Line(own(measures.MODEL_FAULTS), "Sum", "models fail"),
        ],
    )
    yield (
        "Dead letters and failed executions",
        [
            *(_dead_letters(key) for key in system.queues if key.endswith("-dead")),
            _Line(FAILED_EXECUTIONS, "Sum", "executions"),
        ],
    )
    yield "Invocations", [_Line(function_metric("Invocations", name), "Sum", name) for name in _INVOKED]
    yield "Errors", [_Line(function_metric("Errors", name), "Sum", name) for name in _INVOKED]
    yield "Duration, p90 in ms", [_Line(function_metric("Duration", name), "p90", name) for name in _INVOKED]
    yield (
        "Concurrency, all functions here",
        [
            _Line(function_metric("ConcurrentExecutions"), "Maximum", "at once"),
            _Line(function_metric("Throttles"), "Sum", "throttled"),
        ],
    )


def _dead_letters(key: str) -> _Line:
    return _Line(queue_metric("ApproximateNumberOfMessagesVisible", key), "Maximum", key)


def _graph(system: System, title: str, lines: Iterable[_Line]) -> Json:
    return {
        "type": "metric",
        "properties": {
            "title": title,
            "region": "@region@",
            "view": "timeSeries",
            "period": 300,
            "metrics": [_drawn(system, line) for line in lines],
        },
    }


def _drawn(system: System, line: _Line) -> list[Any]:
    dimensions = [text for name, value in line.metric.dimensions for text in (name, _text(system, value))]
    return [line.metric.namespace, line.metric.name, *dimensions, {"stat": line.statistic, "label": line.label}]


def _text(system: System, value: Ref | str) -> str:
    if isinstance(value, str):
        return value
    return system.queues[value.key].name if value.kind is Kind.QUEUE else system.functions[value.key].physical_name
