import pytest
import yaml

from devstack.model.script import load_script
from devstack.scenarios.catalogue import SCENARIOS, SCRIPTS, Scenario
from devstack.scenarios.playing import named
from devstack.scenarios.stage import Findings
from discord_agent.domain.errors import InvalidSettings

OWN = [scenario for scenario in SCENARIOS.values() if scenario.script.parent == SCRIPTS]


def test_every_script_of_a_scenario_is_valid_and_used() -> None:
    for scenario in SCENARIOS.values():
        assert load_script(scenario.script).model_fields_set
    assert sorted(SCRIPTS.iterdir()) == sorted({scenario.script for scenario in OWN})


@pytest.mark.parametrize("scenario", OWN, ids=lambda scenario: str(scenario.name))
def test_the_lines_of_a_scenario_are_for_its_own_words_only(scenario: Scenario) -> None:
    loaded = yaml.safe_load(scenario.script.read_text(encoding="utf-8"))
    assert [entry for entries in loaded.values() for entry in entries if "when" not in entry] == []


def test_a_rule_that_does_not_hold_is_a_fault() -> None:
    findings = Findings({}, (("water is wet", True), ("fire is cold", False)))
    assert findings.faults == ["not so: fire is cold"]


def test_an_unknown_scenario_is_named_with_those_that_exist() -> None:
    with pytest.raises(InvalidSettings, match="'nonsense'; there are success, "):
        named("nonsense")
