"""The dashboard shows metrics that exist, and costs nothing."""

import json
import re
from typing import Any

import pytest

from deployment import dashboard
from discord_agent.system import SYSTEM
from tests.support.metrics import exists

FREE_METRICS = 50
"""A dashboard with more of them is charged for."""


def graphs(settings: dict[str, str]) -> list[dict[str, Any]]:
    widgets = json.loads(dashboard.body(SYSTEM, settings))["widgets"]
    return [widget["properties"] for widget in widgets if widget["type"] == "metric"]


def test_every_line_is_a_metric_that_exists() -> None:
    lines = [line for graph in graphs({"bridge": "true"}) for line in graph["metrics"]]
    assert lines
    for namespace, name, *rest in lines:
        assert exists(namespace, name, dict(zip(rest[:-1:2], rest[1:-1:2], strict=True))), (namespace, name, rest)


def test_all_of_it_is_free_of_charge() -> None:
    assert sum(len(graph["metrics"]) for graph in graphs({"bridge": "true"})) <= FREE_METRICS


def test_widgets_do_not_overlap_and_fit_the_width() -> None:
    widgets = json.loads(dashboard.body(SYSTEM, {"bridge": "true"}))["widgets"]
    cells = [
        (column, row)
        for widget in widgets
        for column in range(widget["x"], widget["x"] + widget["width"])
        for row in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(column for column, _ in cells) < 24


def test_it_shows_every_alarm_that_always_exists() -> None:
    first = json.loads(dashboard.body(SYSTEM, {}))["widgets"][0]["properties"]["alarms"]
    shown = {arn.rpartition(":")[2] for arn in first}
    assert shown == {alarm.physical_name for alarm in SYSTEM.alarms.values() if not alarm.only_with}


@pytest.mark.parametrize(("bridge", "drawn"), [("true", True), ("false", False)])
def test_the_bridge_is_drawn_where_there_is_one(bridge: str, drawn: bool) -> None:
    assert any(graph["title"] == "Bridge" for graph in graphs({"bridge": bridge})) is drawn


def test_it_holds_no_placeholder_but_those_announced() -> None:
    text = dashboard.body(SYSTEM, {"bridge": "true"})
    assert set(re.findall(r"@\w+@", text)) == set(dashboard.PLACEHOLDERS)
