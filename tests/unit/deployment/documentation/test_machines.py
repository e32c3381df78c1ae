"""The picture of a state machine holds its states and its ways."""

import re

import pytest

from deployment.documentation import machines
from discord_agent.system import SYSTEM
from tests.support.definitions import definition, normal_targets, states

WAY = re.compile(r'^\s+(\w+) (-->|-\.->)(?:\|"(.*?)"\|)? (\w+)$', re.MULTILINE)


def ways(picture: str, arrow: str) -> set[tuple[str, str]]:
    return {(source, target) for source, kind, _, target in WAY.findall(picture) if kind == arrow}


@pytest.mark.parametrize("machine", SYSTEM.machines)
def test_every_state_and_every_usual_way_is_drawn(machine: str) -> None:
    picture = machines.picture(definition(machine))
    drawn = ways(picture, "-->")
    usual = {
        (name, target)
        for name, state in states(machine).items()
        for target in normal_targets(state)
        if target != state.get("ItemProcessor", {}).get("StartAt")
    }
    assert {way for way in drawn if not {"start", "done"} & set(way)} == usual
    assert [
        name for name in states(machine) if not re.search(rf"^\s+(subgraph )?{name}\W", picture, re.MULTILINE)
    ] == []


@pytest.mark.parametrize("machine", SYSTEM.machines)
def test_every_catch_is_drawn_or_folded_into_the_one_that_all_steps_share(machine: str) -> None:
    drawn = ways(machines.picture(definition(machine)), "-.->")
    folded = {target for source, target in drawn if source == "any_step"}
    caught = {(name, clause["Next"]) for name, state in states(machine).items() for clause in state.get("Catch", ())}
    assert {way for way in caught if way[1] not in folded} <= drawn
    assert {target for _, target in caught} == {target for _, target in drawn}


def test_conditions_are_said_without_what_all_of_them_have() -> None:
    picture = machines.picture(definition("sequential_thinking"))
    assert "Route -->|\"next = 'turn'\"| Turn" in picture
    assert 'Route -->|"otherwise"| Evaluate' in picture
    assert 'Clarify -.->|"Timeout"| Evaluate' in picture
