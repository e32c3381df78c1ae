"""What people want of a run at work, heard before its next round."""

from copy import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discord_agent.domain.conversation import Message, Role
from discord_agent.domain.ids import ExecutionId, MessageId
from discord_agent.domain.interrupts import Interrupt
from discord_agent.domain.run import Next, RunState, Signals, TurnStatus
from discord_agent.domain.session import InboxItem, ItemKind
from discord_agent.steps.advancing import WHAT_TO_KNOW
from tests.support.fakes.effects import Death, Moments, die
from tests.support.fakes.models import calls, finishes, says
from tests.support.fakes.world import BOB, EXECUTION, THREAD, World

NONE = Signals()
_READ = calls(("read_file", {"path": "auth.py"}))


def _word(world: World, interrupt: Interrupt, text: str = "", *, number: int = 1) -> InboxItem:
    """Somebody presses a button, reacts, or writes a word to the run."""
    item = InboxItem(
        THREAD, MessageId(f"60000000000000000{number}"), BOB, "Bob", text, ItemKind.STEER, world.clock.now(),
        interrupt=interrupt, concerns=EXECUTION,
    )  # fmt: skip
    world.sessions.put(item)
    return item


def _after_one_round(interrupt: Interrupt, text: str = "", *, signals: Signals = NONE) -> tuple[World, RunState]:
    """A turn whose second round hears the interrupt."""
    world = World()
    run = world.working(signals=signals)
    world.plays(_READ, finishes("Done."))
    world.toolbox.on_run = lambda: _word(world, interrupt, text)
    return world, world.turn()(run)


def _said(world: World) -> list[str]:
    return [message.text for message in world.messages if message.role is Role.USER and "[heard]" in message.text]


def test_wrong_counts_as_a_correction_and_says_what_is_wrong() -> None:
    world, after = _after_one_round(Interrupt.WRONG, "WRONG: use RS256")
    assert after.signals.corrections == 1
    [said] = _said(world)
    assert "content=use RS256" in said
    assert "WRONG" not in said
    assert after.status is TurnStatus.COMPLETE


def test_a_reaction_without_a_word_leaves_no_message_behind() -> None:
    world, after = _after_one_round(Interrupt.WRONG)
    assert after.signals.corrections == 1
    assert _said(world) == []
    assert world.sessions.inbox == {}


def test_continue_overrides_a_low_confidence() -> None:
    _, after = _after_one_round(Interrupt.CONTINUE, signals=Signals(low_confidence_streak=1))
    assert after.signals.low_confidence_streak == 0


def test_retry_takes_the_last_answer_back_and_has_it_given_anew() -> None:
    world, after = _after_one_round(Interrupt.RETRY, signals=Signals(no_progress_turns=3))
    assert [len(request.messages) for request in world.model.requests[:2]] == [2, 2]
    assert after.signals.no_progress_turns == 3
    answers = [message for message in world.messages if message.role is Role.ASSISTANT]
    results = [message for message in world.messages if message.role is Role.TOOL]
    assert len(answers) == len(results) == after.rounds - 1


def test_retry_in_a_new_turn_takes_back_what_the_turn_before_answered() -> None:
    world = World()
    run = world.working()
    world.plays(says("I give up on this file."), finishes())
    run = world.turn()(run)
    _word(world, Interrupt.RETRY, "RETRY")
    world.plays(finishes("Another way."))
    after = world.turn()(run)
    assert after.summary == "Another way."
    assert all("give up" not in message.text for message in world.messages)


def test_escalate_ends_the_turn_before_the_model_is_asked_again() -> None:
    world, after = _after_one_round(Interrupt.ESCALATE, "ESCALATE this needs care")
    assert after.wants_stronger
    assert (after.status, after.rounds, len(world.model.requests)) == (TurnStatus.CONTINUE, 1, 1)
    assert "content=this needs care" in _said(world)[0]
    routed = world.escalation()(after)
    assert routed.model == world.models.next_up(after.model)


def test_a_turn_that_people_ended_before_it_began_is_not_counted_against_the_model() -> None:
    world = World()
    run = world.working(signals=Signals(no_progress_turns=2))
    _word(world, Interrupt.ESCALATE)
    after = world.turn()(run)
    assert world.model.requests == []
    assert (after.rounds, after.signals, after.confidence) == (0, run.signals, run.confidence)
    assert after.max_turns - after.turn == run.max_turns - run.turn


def test_clarify_without_a_word_parks_the_run_with_a_question() -> None:
    world, after = _after_one_round(Interrupt.CLARIFY, "CLARIFY")
    assert (after.status, after.question) == (TurnStatus.NEEDS_CLARIFICATION, WHAT_TO_KNOW)
    assert len(world.model.requests) == 1
    assert world.escalation()(after).next is Next.CLARIFY


def test_clarify_with_a_word_is_heard_and_nothing_more() -> None:
    world, after = _after_one_round(Interrupt.CLARIFY, "CLARIFY the key is in the vault")
    assert after.status is TurnStatus.COMPLETE
    assert "content=the key is in the vault" in _said(world)[0]


def test_an_interrupt_that_was_meant_for_an_earlier_run_is_no_more_than_a_message() -> None:
    world = World()
    run = world.working()
    item = _word(world, Interrupt.WRONG, "WRONG: use RS256")
    world.sessions.inbox[THREAD, item.message_id] = replace(item, concerns=ExecutionId("m-1"))
    world.plays(finishes())
    after = world.turn()(run)
    assert after.signals.corrections == 0
    assert "WRONG: use RS256" in _said(world)[0]


def test_what_several_people_want_is_all_done() -> None:
    world = World()
    run = world.working()
    _word(world, Interrupt.WRONG, "WRONG: use RS256", number=1)
    _word(world, Interrupt.ESCALATE, number=2)
    after = world.turn()(run)
    assert (after.signals.corrections, after.wants_stronger) == (1, True)
    assert len(_said(world)) == 1
    assert world.sessions.inbox == {}


_WORDS = st.lists(
    st.tuples(st.sampled_from([one for one in Interrupt if one is not Interrupt.STOP]), st.sampled_from(["", "so"])),
    min_size=1,
    max_size=3,
)


def _staged(words: list[tuple[Interrupt, str]], heard_in: int) -> tuple[World, RunState]:
    world = World()
    run = world.working()
    world.plays(_READ, _READ, says("Going on."), finishes())
    if heard_in == 0:
        _put(world, words)
    else:
        world.toolbox.on_run = lambda: _put(world, words) if len(world.toolbox.runs) == heard_in else None
    return world, run


def _put(world: World, words: list[tuple[Interrupt, str]]) -> None:
    for number, (interrupt, text) in enumerate(words):
        _word(world, interrupt, f"{interrupt} {text}" if text else "", number=number)


def _ending(world: World, after: RunState) -> tuple[RunState, tuple[Message, ...]]:
    shown = replace(after, card_lines=(), card_edited_at=None, cost=replace(after.cost, estimated=after.cost.output))
    return shown, world.messages


@settings(deadline=None, max_examples=150)
@given(_WORDS, st.integers(0, 2), st.integers(0, 10_000))
def test_interrupts_count_once_wherever_the_turn_dies(
    words: list[tuple[Interrupt, str]], heard_in: int, at: int
) -> None:
    world, run = _staged(words, heard_in)
    with world.effects.watch(moments := Moments()):
        after = world.turn()(run)
    expected = _ending(world, after)
    again, run = _staged(words, heard_in)
    with pytest.raises(Death), again.effects.watch(Moments(at % len(moments.seen), die)):
        again.turn()(run)
    after = again.turn()(run)
    results = (result for of_round, _ in again.journal.results.values() for result in of_round)
    was_cut_short = any(result.text.startswith("Interrupted") for result in results)
    assert again.sessions.inbox == {} or was_cut_short
    if not was_cut_short:
        assert _ending(again, after) == expected
