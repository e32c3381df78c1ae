"""What the system costs is made of the declaration, of what was measured, and of list prices."""

import json
from copy import replace
from decimal import Decimal

import pytest

from deployment import costs, dashboard, measured
from deployment.costs import Line, charged, defaults, idle_month, listed, request
from deployment.measured import TURNS, Measured
from discord_agent.declaration import Grant, Kind, Ref
from discord_agent.domain.list_prices import FREE, PRICES, Unit
from discord_agent.system import SYSTEM

MEASURED = measured.read()
USUAL = defaults(SYSTEM)
WORKING = set(SYSTEM.functions) - {"interactions", "sandbox"}


def test_every_target_is_met() -> None:
    found = costs.targets(SYSTEM, MEASURED)
    assert sum(target.limit is not None for target in found) == 3
    assert [target for target in found if not target.met] == []


def test_everything_that_is_charged_for_has_a_price_and_nothing_is_free_twice() -> None:
    assert set(PRICES) == set(Unit)
    shared = [unit for units, _ in FREE for unit in units]
    assert len(shared) == len(set(shared))


def test_what_was_measured_is_a_run_of_so_many_turns() -> None:
    functions = MEASURED["run"].functions
    assert {functions[name].invocations for name in ("turn", "escalation")} == {TURNS}
    assert functions.keys() <= SYSTEM.functions.keys()
    assert [name for name in functions.keys() & WORKING if functions[name].table_writes == 0] == []
    assert functions["turn"].object_writes > functions["sandbox"].invocations
    assert MEASURED["run"].transitions >= 3 * TURNS


def test_an_allowance_covers_the_cheapest_of_what_shares_it() -> None:
    bill = (Line("", Unit.FIFO_REQUEST, Decimal(1_000_000)), Line("", Unit.QUEUE_REQUEST, Decimal(600_000)))
    assert listed(bill) == Decimal("0.74")
    assert charged(bill) == Decimal("0.30")
    assert charged((Line("", Unit.ALARM, Decimal(3)),)) == 0


@pytest.mark.parametrize(
    ("chosen", "unit"),
    [
        ({"customer_managed_key": "true"}, Unit.KEY),
        ({"snap_start": "true"}, Unit.SNAPSHOT_KEPT),
        ({"architecture": "x86_64"}, Unit.VCPU_HOUR_X86),
    ],
)
def test_a_setting_is_priced(chosen: dict[str, str], unit: Unit) -> None:
    usual, other = idle_month(SYSTEM, USUAL), idle_month(SYSTEM, defaults(SYSTEM, **chosen))
    assert unit not in {line.unit for line in usual}
    assert unit in {line.unit for line in other}
    assert charged(other) > charged(usual)


def test_the_dashboard_is_small_enough_for_the_free_allowance() -> None:
    drawn = [widget.body.get("properties", {}).get("metrics", []) for widget in dashboard.widgets(SYSTEM)]
    assert 0 < sum(map(len, drawn)) <= 50


def test_secrets_are_free_only_as_long_as_they_are_parameters() -> None:
    read = Grant(("secretsmanager:GetSecretValue",), (Ref(Kind.SECRET, "model-key"),))
    plan = {"plan": replace(SYSTEM.functions["plan"], grants=(read,))}
    dearer = idle_month(replace(SYSTEM, functions=SYSTEM.functions | plan), USUAL)
    assert [line.quantity for line in dearer if line.unit is Unit.SECRET] == [len(SYSTEM.secrets)]
    assert Unit.SECRET not in {line.unit for line in idle_month(SYSTEM, USUAL)}


def test_without_the_bridge_nothing_always_runs() -> None:
    units = {line.unit for line in idle_month(SYSTEM, defaults(SYSTEM, bridge="false"))}
    assert units.isdisjoint({Unit.VCPU_HOUR_ARM, Unit.MEMORY_HOUR_ARM, Unit.ADDRESS_HOUR})


def test_more_memory_and_another_queue_cost_more() -> None:
    more = {"turn": replace(SYSTEM.functions["turn"], memory=2048)}
    larger = replace(SYSTEM, functions=SYSTEM.functions | more)
    assert costs.turn(larger, USUAL, MEASURED["run"]) > costs.turn(SYSTEM, USUAL, MEASURED["run"])
    without = {"fail": replace(SYSTEM.functions["fail"], sources=())}
    fewer = replace(SYSTEM, functions=SYSTEM.functions | without)
    assert listed(idle_month(fewer, USUAL)) < listed(idle_month(SYSTEM, USUAL))


def test_waiting_for_the_model_and_the_sandbox_is_most_of_a_turn() -> None:
    """30 s of one gigabyte and 10 s of two, by hand."""
    by_hand = TURNS * 50 * PRICES[Unit.LAMBDA_ARM]
    time = [
        line for line in request(SYSTEM, USUAL, MEASURED["run"], TURNS) if line.what in {"turn: time", "sandbox: time"}
    ]
    assert by_hand <= listed(time) < by_hand * Decimal("1.1")


def test_nothing_asked_for_costs_no_turn() -> None:
    assert listed(request(SYSTEM, USUAL, Measured(0, {}))) < Decimal("0.00001")


def test_the_command_fails_as_soon_as_a_target_is_missed(capsys: pytest.CaptureFixture[str]) -> None:
    assert costs.run(SYSTEM, MEASURED, as_json=True) == 0
    said = json.loads(capsys.readouterr().out)
    bills = {name: sum(line["usd"] for line in bill) for name, bill in said["bills"].items()}
    figures = {target["name"]: target["value"] for target in said["targets"]}
    assert bills["run"] == pytest.approx(figures[f"a run of {TURNS} turns, to the merge"])
    assert bills["question"] == pytest.approx(figures["a question"])
    dear = {"turn": replace(SYSTEM.functions["turn"], memory=4096)}
    assert costs.run(replace(SYSTEM, functions=SYSTEM.functions | dear), MEASURED, as_json=False) == 1
    assert "MISSED" in capsys.readouterr().out
