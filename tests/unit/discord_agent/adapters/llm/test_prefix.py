"""What providers cache is what begins alike: a run's requests, over its turns, as they are really written."""

import json
from itertools import pairwise
from typing import Any

import pytest

from discord_agent.adapters.folders import find_root
from discord_agent.adapters.llm.registry import ModelRegistry
from discord_agent.adapters.llm.wire import request_body
from discord_agent.adapters.prompts import TemplatePrompts
from discord_agent.domain.conversation import Json, Purpose
from discord_agent.domain.ids import ModelName
from discord_agent.steps.turn import TurnLimits
from tests.support.fakes.models import FakePrompts, answers, calls, says, writes
from tests.support.fakes.world import World

REGISTRY = ModelRegistry.load(find_root() / "models.yaml")


def bodies(model: str) -> list[Json]:
    """The requests of a run of four turns, in which tools run and fail, somebody speaks up, and in the end nothing is said."""
    world = World()
    world.prompts = FakePrompts(TemplatePrompts(find_root()))
    run = world.working(max_turns=0)
    world.journal.contexts.clear()
    world.plays(answers(agent_role="python-coder", complexity="complex"), purpose=Purpose.PLAN)
    world.plays(answers(title="Token login"), purpose=Purpose.TITLE)
    run = world.plan()(run)
    world.plays(
        calls(writes("auth.py", "def login(token): ..."), ("bash", {"command": "pytest"}), text="Let me see."),
        calls(("read_file", {"path": "nowhere.py"})),
        says("I think that was it."),
        calls(("bash", "{broken")),
        calls(("bash", {"command": "ls"})),
        calls(("grep", {"pattern": "login"})),
        says(""),
    )
    for turn in range(1, 5):
        if turn == 3:
            world.steer("Mind the sessions.")
        run = world.turn(TurnLimits(rounds=2))(run)
    requests = world.model.asked(Purpose.TURN)
    assert len(requests) >= 7
    return [request_body(request, REGISTRY.reader(ModelName(model))) for request in requests]


def unmarked(body: Json) -> Json:
    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: without(item) for key, item in value.items() if key != "cache_control"}
        return [without(item) for item in value] if isinstance(value, list) else value

    cleaned: Json = without(body)
    return cleaned


def ends(body: Json) -> list[int]:
    return [index for index, message in enumerate(body["messages"]) if "cache_control" in json.dumps(message)]


@pytest.mark.parametrize("model", ["gpt-5.1-codex-mini", "claude-sonnet-4.5", "gemini-3-pro"])
def test_every_request_begins_with_the_bytes_of_the_one_before(model: str) -> None:
    for earlier, later in pairwise(map(unmarked, bodies(model))):
        before, after = (json.dumps(body["messages"]) for body in (earlier, later))
        assert after.startswith(before[:-1])
        assert earlier | {"messages": ()} == later | {"messages": ()}


def test_without_marks_nothing_at_all_differs() -> None:
    written = bodies("gpt-5.1-codex-mini")
    assert [unmarked(body) for body in written] == written


def test_where_a_request_ended_the_next_one_after_its_answer_finds_its_cache() -> None:
    found = []
    for earlier, later in pairwise(bodies("claude-sonnet-4.5")):
        end = len(earlier["messages"]) - 1
        assert ends(earlier)[-1] == end
        was_answered = [message["role"] for message in later["messages"][end + 1 :][:1]] == ["assistant"]
        found += [end in ends(later)] if was_answered else []

    assert len(found) >= 5
    assert all(found)
