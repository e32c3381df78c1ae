from copy import replace

import pytest

from discord_agent.domain import compaction
from discord_agent.domain.conversation import Message, Purpose, Role, ToolCall
from discord_agent.domain.errors import ContextTooLong, ModelUnavailable, OverBudget, Stopped
from discord_agent.domain.run import RunState
from discord_agent.steps.compaction import Compaction
from tests.support.fakes.models import LADDER, says
from tests.support.fakes.world import OPENING, World


def _world(window: int) -> tuple[World, RunState, Compaction]:
    world = World()
    run = world.working(turn=6)
    world.models.contexts = dict.fromkeys(LADDER, window)
    return world, run, world.compaction()


def _rounds(count: int, *, prose: int = 0, result: int = 0) -> tuple[Message, ...]:
    messages: list[Message] = list(OPENING)
    for number in range(count):
        call = ToolCall(f"c{number}", "bash", '{"command": "make"}')
        messages += [
            Message(Role.ASSISTANT, f"{number} " + "p" * prose, (call,)),
            Message(Role.TOOL, f"{number} " + "r" * result, tool_call_id=call.id),
        ]
    return tuple(messages)


def test_a_conversation_with_room_left_is_left_alone() -> None:
    world, run, compact = _world(100_000)
    assert compact(run, _rounds(10, result=900), world.model) is None
    assert world.model.requests == []


def test_cutting_old_results_needs_no_model_when_it_is_enough() -> None:
    world, run, compact = _world(20_000)
    messages = _rounds(20, result=3000)
    after = compact(run, messages, world.model)
    assert after is not None
    assert len(after) == len(messages)
    assert compaction.tokens(after) < compaction.tokens(messages) * 0.5
    assert world.model.requests == []
    [row] = world.audit.of("compaction")
    assert (row.details["byModel"], row.details["turn"]) == (False, 7)


def test_a_model_sums_up_the_middle_when_cutting_results_is_not_enough() -> None:
    world, run, compact = _world(10_000)
    world.plays(says("- Done: the parser."), purpose=Purpose.COMPACT)
    messages = _rounds(20, prose=2000)
    after = compact(run, messages, world.model)
    assert after is not None
    assert after[:2] == OPENING
    assert "- Done: the parser." in after[2].text
    assert after[-2:] == messages[-2:]
    [request] = world.model.asked(Purpose.COMPACT)
    assert "0 ppp" in world.prompts.values_of("compact_request")["transcript"]
    assert request.messages[0].role is Role.SYSTEM
    [row] = world.audit.of("compaction")
    assert row.details["byModel"] is True


@pytest.mark.parametrize(
    "fault", [ModelUnavailable("down"), ContextTooLong("too long"), OverBudget("the day's limit is reached")]
)
def test_without_model_or_money_the_middle_becomes_a_list_of_what_was_done(fault: Exception) -> None:
    world, run, compact = _world(10_000)
    world.model.faults[Purpose.COMPACT].append(fault)
    after = compact(run, _rounds(20, prose=2000), world.model)
    assert after is not None
    assert '- bash {"command": "make"} → 0' in after[2].text
    [row] = world.audit.of("compaction_without_model")
    assert str(fault) in row.details["reason"]


def test_a_model_that_writes_nothing_is_done_without() -> None:
    world, run, compact = _world(10_000)
    world.plays(says("  "), purpose=Purpose.COMPACT)
    after = compact(run, _rounds(20, prose=2000), world.model)
    assert after is not None
    assert '- bash {"command": "make"}' in after[2].text


def test_no_summary_is_paid_for_that_could_not_gain_enough() -> None:
    world, run, compact = _world(1000)
    messages = (OPENING[0], Message(Role.USER, "t" * 9000), *_rounds(2, prose=300)[2:])
    assert compact(run, messages, world.model) is None
    assert world.model.requests == []


def test_a_summary_as_long_as_what_it_stands_for_is_thrown_away() -> None:
    world, run, compact = _world(3000)
    world.plays(says("s" * 9000), purpose=Purpose.COMPACT)
    assert compact(run, _rounds(5, prose=1500), world.model) is None
    assert world.audit.of("compaction") == []


def test_the_turn_after_a_shortened_one_is_not_shortened_again() -> None:
    world, run, compact = _world(10_000)
    messages = _rounds(20, prose=2000)
    run = replace(run, compacted_at=run.turn)
    assert compact(run, messages, world.model) is None
    world.plays(says("- Done."), purpose=Purpose.COMPACT)
    assert compact(run, messages, world.model, force=True) is not None


def test_a_forced_conversation_is_shortened_although_it_seems_small() -> None:
    world, run, compact = _world(100_000)
    world.plays(says("- Done."), purpose=Purpose.COMPACT)
    after = compact(run, _rounds(30, prose=3000), world.model, force=True)
    assert after is not None
    assert compaction.tokens(after) < 100_000 * 0.1


def test_a_stop_is_heard_while_the_summary_is_written() -> None:
    world, run, compact = _world(10_000)
    world.plays(says("- Done."), purpose=Purpose.COMPACT)
    with pytest.raises(Stopped):
        compact(run, _rounds(20, prose=2000), world.model, stop_requested=lambda: True)
