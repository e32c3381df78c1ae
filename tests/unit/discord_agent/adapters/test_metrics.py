"""Figures become log lines that CloudWatch makes the metrics of which alarms and the dashboard speak."""

import json
from typing import Any

import pytest

from discord_agent.adapters.logging import correlated
from discord_agent.adapters.metrics import EmfMetrics
from discord_agent.domain import measures
from discord_agent.domain.measures import Measure
from discord_agent.operations import own
from tests.support.clock import ManualClock

EACH = [(measure, value) for measure in measures.MEASURES for value in (measure.values or ("",))]


def line(measure: Measure, value: float, of: str = "") -> dict[str, Any]:
    lines: list[str] = []
    EmfMetrics(ManualClock(), write=lines.append).record(measure, value, of=of)
    [text] = lines
    written: dict[str, Any] = json.loads(text)
    return written


@pytest.mark.parametrize(("measure", "of"), EACH)
def test_a_figure_is_a_metric_with_the_name_and_dimensions_that_alarms_expect(measure: Measure, of: str) -> None:
    written = line(measure, 2.5, of)
    [directive] = written["_aws"]["CloudWatchMetrics"]
    [keys] = directive["Dimensions"]
    metric = own(measure, of)
    assert (directive["Namespace"], directive["Metrics"]) == (
        metric.namespace,
        [{"Name": metric.name, "Unit": measure.unit}],
    )
    assert {key: written[key] for key in keys} == dict(metric.dimensions)
    assert written[metric.name] == [2.5]
    assert written["_aws"]["Timestamp"] == ManualClock().now().timestamp() * 1000


def test_a_line_says_which_run_it_is_of_but_makes_no_metric_of_it() -> None:
    with correlated(execution_id="m-1", thread_id="2"):
        written = line(measures.TURNS, 1)
    assert (written["execution_id"], written["thread_id"]) == ("m-1", "2")
    assert written["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]


@pytest.mark.parametrize(("measure", "of"), [(measures.RUNS, ""), (measures.RUNS, "won"), (measures.TURNS, "done")])
def test_a_value_that_is_not_declared_is_no_metric(measure: Measure, of: str) -> None:
    with pytest.raises(ValueError, match=measure.name):
        line(measure, 1, of)


def test_lines_go_to_the_output_that_lambda_and_containers_log(capsys: pytest.CaptureFixture[str]) -> None:
    EmfMetrics(ManualClock()).record(measures.COST, 0.25)
    assert json.loads(capsys.readouterr().out)["Cost"] == [0.25]
