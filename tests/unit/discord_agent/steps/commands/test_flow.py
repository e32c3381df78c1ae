import pytest

from discord_agent.domain.classification import FlowType
from discord_agent.domain.session import FlowOverride
from tests.support.commands import ADMIN, PERSON, use
from tests.support.fakes.world import THREAD, World


@pytest.mark.parametrize(
    ("name", "flow"),
    [
        ("sequential", FlowType.SEQUENTIAL),
        ("sequential-thinking", FlowType.SEQUENTIAL),
        ("branch", FlowType.BRANCH),
        ("simple", FlowType.SIMPLE),
    ],
)
def test_a_flow_is_chosen_for_ones_next_message(name: str, flow: FlowType) -> None:
    world = World()
    told = use(world, "flow", type=name)
    assert world.sessions.get(THREAD).flow_override == FlowOverride(flow, PERSON.id)
    assert told.content == f"Your next message here will be worked on as **{flow.value}**, once."


def test_breakglass_is_chosen_by_those_who_may() -> None:
    world = World()
    assert "breakglass" in use(world, "flow", type="breakglass").content
    assert world.sessions.get(THREAD).flow_override is None
    use(world, "flow", by=ADMIN, type="breakglass")
    assert world.sessions.get(THREAD).flow_override == FlowOverride(FlowType.BREAKGLASS, ADMIN.id)
