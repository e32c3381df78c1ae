"""The alarms and what is measured, as tables."""

from deployment.documentation.tables import table
from discord_agent.declaration import Alarm, Comparison, Missing, Ref, System
from discord_agent.domain.measures import MEASURES, Measure

_COMPARED = {Comparison.AT_LEAST: "at least", Comparison.BELOW: "below"}
_MISSING = {Missing.GOOD: "good", Missing.BAD: "bad", Missing.UNCHANGED: "changes nothing"}


def alarms(system: System) -> str:
    """One row for each alarm; times in seconds."""
    rows = (
        (f"`{alarm.name}`", _watched(alarm), _when(alarm), _MISSING[alarm.missing], _remedy(alarm))
        for alarm in system.alarms.values()
    )
    return table(("alarm", "watches", "sounds when", "no data is", "what to do"), rows)


def measures() -> str:
    """One row for each measure, with the number of metrics that it is charged as."""
    rows = ((f"`{each.name}`", each.unit.value, _meaning(each), str(len(each.values) or 1)) for each in MEASURES)
    return table(("metric", "unit", "says", "metrics"), rows)


def _watched(alarm: Alarm) -> str:
    dimensions = ", ".join(value.key if isinstance(value, Ref) else value for _, value in alarm.metric.dimensions)
    return f"{alarm.metric.namespace} `{alarm.metric.name}`{f' of {dimensions}' if dimensions else ''}"


def _when(alarm: Alarm) -> str:
    threshold = f"`{alarm.threshold.key}`" if isinstance(alarm.threshold, Ref) else f"{alarm.threshold:g}"
    times = f", {alarm.periods} times on end" if alarm.periods > 1 else ""
    only = f"; only with `{alarm.only_with}`" if alarm.only_with else ""
    return f"{alarm.statistic.lower()} in {alarm.period} s {_COMPARED[alarm.comparison]} {threshold}{times}{only}"


def _remedy(alarm: Alarm) -> str:
    return f"[{alarm.runbook}]({alarm.anchor.removeprefix('docs/')})"


def _meaning(measure: Measure) -> str:
    return f"{measure.meaning}: {', '.join(measure.values)}" if measure.values else measure.meaning
