"""Money, size and bad input: how a turn ends when something is too much, or nothing."""

import json
from copy import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from discord_agent.domain.conversation import Message, ModelReply, ModelRequest, Purpose, Role, ToolCall
from discord_agent.domain.errors import ContextTooLong, InvalidInput, OverBudget
from discord_agent.domain.money import Usd
from discord_agent.domain.policy import GuildSettings, Limits
from discord_agent.domain.run import Next, Outcome, RunState, TurnStatus, Waiting
from discord_agent.steps.advancing import NOTHING_SAID
from discord_agent.steps.turn import TurnLimits
from tests.support.fakes import workspace
from tests.support.fakes.effects import Death, Moments, die
from tests.support.fakes.models import SCRIPTED, calls, finishes, says, writes
from tests.support.fakes.world import EXECUTION, GUILD, OPENING, THREAD, World

_READ = calls(("read_file", {"path": "auth.py"}))


def _limited(world: World, dollars: str) -> None:
    world.sessions.guilds[GUILD] = GuildSettings(limits=Limits(run=Usd(Decimal(dollars))))


# --- money ------------------------------------------------------------------------------------------------------


def test_a_turn_whose_first_call_is_too_dear_parks_the_run_and_is_not_used_up() -> None:
    world = World()
    run = world.working()
    _limited(world, "0.001")
    after = world.turn()(run)
    assert (after.turn, after.rounds, after.waiting) == (0, 0, Waiting.MONEY)
    assert after.needed > Usd(Decimal("0.001"))
    assert "limit" in after.question
    assert world.model.requests == []
    assert world.escalation()(after).next is Next.CLARIFY


def test_a_parked_run_plays_the_same_turn_once_there_is_money() -> None:
    world = World()
    run = world.working()
    _limited(world, "0.001")
    parked = world.escalation()(world.turn()(run))
    world.leases.release(THREAD, EXECUTION)
    _limited(world, "5")
    world.plays(finishes())
    after = world.turn()(parked)
    assert (after.turn, after.status, after.waiting, after.needed) == (1, TurnStatus.COMPLETE, Waiting.ANSWER, Usd())


def test_a_limit_reached_in_the_middle_ends_the_turn_cleanly_and_parks_the_next() -> None:
    world = World()
    run = world.working()
    _limited(world, "0.02")
    world.plays(calls(writes("auth.py", "half")), _READ, finishes())
    after = world.turn()(run)
    assert (after.turn, after.status, after.waiting) == (1, TurnStatus.CONTINUE, Waiting.ANSWER)
    assert 0 < after.rounds < 3
    assert world.workspaces.files(THREAD)["auth.py"] == b"half"
    assert world.turn()(after).waiting is Waiting.MONEY


def test_a_run_never_spends_more_than_its_limit() -> None:
    world = World()
    run = world.working()
    _limited(world, "0.05")
    world.plays(*[_READ for _ in range(50)])
    for _ in range(10):
        run = world.turn()(run)
    assert run.waiting is Waiting.MONEY
    assert run.cost.charged <= Usd(Decimal("0.05"))
    assert world.budgets.open_slices(EXECUTION) == ()


def test_a_model_without_a_price_is_not_asked_under_a_limit() -> None:
    world = World()
    run = world.working()
    _limited(world, "5")
    world.models.prices.clear()
    after = world.turn()(run)
    assert after.waiting is Waiting.MONEY
    assert "unknown" in after.question


# --- a conversation that is too long ----------------------------------------------------------------------------


def _long(world: World, run: RunState) -> None:
    """Give the run a conversation with much to leave out."""
    context = world.journal.contexts[EXECUTION]
    said = []
    for number in range(40):
        said += [
            Message(Role.ASSISTANT, "", (ToolCall(f"old{number}", "read_file", "{}"),)),
            Message(Role.TOOL, "x" * 4000, tool_call_id=f"old{number}"),
        ]
    world.journal.save_context(run, replace(context, messages=(*context.messages, *said)))


def _refuses_long_conversations(world: World) -> None:
    def check(request: ModelRequest) -> None:
        if sum(len(message.text) for message in request.messages) > 100_000:
            raise ContextTooLong("too long")

    world.model.during = check


def test_a_conversation_that_is_too_long_from_the_start_is_shortened_and_the_turn_goes_on() -> None:
    world = World()
    run = world.working()
    world.models.contexts[run.model] = 200_000
    _long(world, run)
    _refuses_long_conversations(world)
    world.plays(*[_READ] * 40, finishes("Done."))
    after = world.turn()(run)
    assert (after.summary, after.compacted_at, after.must_compact) == ("Done.", 1, False)
    assert world.messages[: len(OPENING)] == OPENING
    assert len(world.audit.of("compaction")) == 1


def test_a_conversation_that_gets_too_long_ends_the_turn_and_is_shortened_in_the_next() -> None:
    world = World()
    run = world.working()
    world.models.contexts[run.model] = 200_000
    world.toolbox.outcomes["read_file"] = workspace.Outcome("y" * 60_000)
    _refuses_long_conversations(world)
    world.plays(_READ, _READ, finishes("Done."))
    after = world.turn()(run)
    assert (after.turn, after.rounds, after.must_compact) == (1, 2, True)
    then = world.turn()(after)
    assert (then.summary, then.must_compact, then.compacted_at) == ("Done.", False, 2)


def test_a_conversation_that_stays_too_long_ends_the_run_instead_of_being_tried_for_ever() -> None:
    world = World()
    run = world.working()
    world.model.faults[Purpose.TURN] += [ContextTooLong("too long")] * 10
    with pytest.raises(ContextTooLong):
        world.turn()(run)
    assert len(world.model.requests) == 1


def test_a_turn_that_dies_anywhere_while_it_is_shortened_is_shortened_once() -> None:
    def staged() -> tuple[World, RunState]:
        world = World()
        run = world.working(must_compact=True)
        _long(world, run)
        world.plays(*[_READ] * 60, finishes("Done."))
        world.plays(*[says("Files were read.")] * 3, purpose=Purpose.COMPACT)
        return world, run

    world, run = staged()
    with world.effects.watch(moments := Moments()):
        expected = world.turn()(run)
    assert expected.compacted_at == 1
    for at in range(len(moments.seen)):
        world, run = staged()
        with pytest.raises(Death), world.effects.watch(Moments(at, die)):
            world.turn()(run)
        after = world.turn()(run)
        assert (after.compacted_at, after.must_compact, after.rounds) == (1, False, expected.rounds)
        saved = [list_ for list_ in world.journal.lists[EXECUTION] if list_.reached and list_.reached.compacted_at == 1]
        assert len(saved) == 2, "shortened once, then saved with the turn"


# --- bad replies and results ------------------------------------------------------------------------------------


def test_a_model_that_answers_nothing_is_told_how_to_go_on_then_counts_as_stuck() -> None:
    world = World()
    run = world.working()
    world.plays(says(""), says("  "))
    after = world.turn()(run)
    assert (after.status, after.question, after.rounds) == (TurnStatus.STUCK, NOTHING_SAID, 2)
    assert world.model.requests[1].messages[-1] == Message(Role.USER, "[go_on] ")
    assert after.signals.failures == 1


def test_a_model_that_answers_nothing_once_may_go_on() -> None:
    world = World()
    run = world.working()
    world.plays(says(""), finishes("Here I am."))
    world.model.script[Purpose.TURN] = [says(""), finishes("Here I am.")]
    replies = iter(world.model.script[Purpose.TURN])
    world.model.during = lambda request: world.model.script.__setitem__(Purpose.TURN, [next(replies)] * 5)
    after = world.turn()(run)
    assert (after.status, after.summary, after.rounds) == (TurnStatus.COMPLETE, "Here I am.", 2)


def test_a_run_whose_model_never_answers_ends_with_a_question() -> None:
    world = World()
    run = world.working(model=world.models.ladder[-1])
    world.plays(says(""))
    run = world.escalation()(world.turn()(run))
    assert run.next is Next.CLARIFY
    assert NOTHING_SAID in run.question


def test_a_model_that_asks_for_tools_for_ever_runs_out_of_turns() -> None:
    world = World()
    run = world.working(max_turns=4)
    world.plays(*[_READ for _ in range(100)])
    while run.next is not Next.EVALUATE or run.outcome is None:
        run = world.escalation()(world.turn()(run))
        assert run.turn <= 4
    assert (run.outcome, run.rounds) == (Outcome.OUT_OF_TURNS, 20)


def test_a_reply_of_two_megabytes_is_cut_and_the_audit_trail_says_so() -> None:
    world = World()
    run = world.working()
    world.plays(says("a" * 2_000_000))
    world.turn()(run)
    [answer] = [message for message in world.messages if message.role is Role.ASSISTANT]
    assert len(answer.text) < 70_000
    assert "characters left out" in answer.text
    [entry] = world.audit.of("reply_cut")
    assert entry.details["reasons"] == ["a text of 2000000 characters was cut"]


def test_calls_beyond_sixty_four_are_left_out_and_the_model_is_told() -> None:
    world = World()
    run = world.working()
    world.plays(calls(*[("read_file", {"path": f"{number}"}) for number in range(100)]), finishes())
    after = world.turn()(run)
    assert len(world.toolbox.runs[0]) == 64
    results = [message.text for message in world.messages if message.role is Role.TOOL]
    assert "36 further calls were not run" in results[63]
    assert world.audit.of("reply_cut")
    assert after.status is TurnStatus.COMPLETE


def test_a_call_with_arguments_of_a_megabyte_is_refused_and_the_others_run() -> None:
    world = World()
    run = world.working()
    world.plays(calls(writes("big.txt", "b" * 1_000_000), writes("small.txt", "s")), finishes())
    world.turn()(run)
    assert set(world.workspaces.files(THREAD)) >= {"small.txt"}
    assert "big.txt" not in world.workspaces.files(THREAD)
    refused, written, _ = (message.text for message in world.messages if message.role is Role.TOOL)
    assert refused.startswith("Not run: the arguments were longer than")
    assert written == "written"
    assert sum(len(json.dumps(call.arguments)) for message in world.messages for call in message.tool_calls) < 10_000


def test_a_result_of_fifty_megabytes_is_cut_and_kept_in_the_workspace() -> None:
    world = World()
    run = world.working()
    world.toolbox.outcomes["bash"] = workspace.Outcome("start " + "m" * 50_000_000 + " end")
    world.plays(calls(("bash", {"command": "cat"})), finishes())
    world.turn()(run)
    result = next(message.text for message in world.messages if message.role is Role.TOOL)
    assert len(result) < 40_000
    assert result.startswith("start")
    assert result.endswith("end")
    assert "the whole output is in .agent/outputs/t1r0c0.txt" in result
    kept = world.workspaces.files(THREAD)[".agent/outputs/t1r0c0.txt"]
    assert kept.startswith(b"start mmm")
    assert len(kept) == 32 * 1024 * 1024


def test_a_long_result_beside_a_change_keeps_both() -> None:
    world = World()
    run = world.working()
    world.toolbox.outcomes["bash"] = workspace.Outcome("l" * 70_000)
    world.plays(calls(writes("auth.py", "new"), ("bash", {"command": "cat"})), finishes())
    after = world.turn()(run)
    files = world.workspaces.files(THREAD)
    assert files["auth.py"] == b"new"
    assert len(files[".agent/outputs/t1r0c1.txt"]) == 70_000
    assert after.files_changed == ("auth.py",)


def test_a_result_that_cannot_be_kept_is_cut_and_says_so() -> None:
    world = World()
    run = world.working()
    world.toolbox.outcomes["bash"] = workspace.Outcome("l" * 70_000)

    def refuse(moment: str) -> None:
        if moment == "before workspaces.add_files":
            raise InvalidInput("too many files")

    world.plays(calls(("bash", {"command": "cat"})), finishes())
    with world.effects.watch(refuse):
        world.turn()(run)
    result = next(message.text for message in world.messages if message.role is Role.TOOL)
    assert "could not be kept: too many files" in result


def test_text_that_is_no_valid_unicode_reaches_neither_model_nor_records() -> None:
    world = World()
    run = world.working()
    world.toolbox.outcomes["bash"] = workspace.Outcome("half \ud83d done")
    world.plays(calls(("bash", {"command": "echo \ud83d"}), text="so \ud83d"), finishes())
    world.turn()(run)
    for message in world.messages:
        message.text.encode()
        for call in message.tool_calls:
            call.arguments.encode()


def test_calls_that_do_not_fit_into_one_invocation_are_reported_to_the_model() -> None:
    world = World()
    run = world.working()
    world.toolbox.faults.append(InvalidInput("the tool calls take 7 MB"))
    world.plays(calls(writes("auth.py", "x")), finishes())
    after = world.turn()(run)
    assert after.status is TurnStatus.COMPLETE
    result = next(message.text for message in world.messages if message.role is Role.TOOL)
    assert result == "Not run: the tool calls take 7 MB"


# --- confidence and what people see -----------------------------------------------------------------------------


def test_a_model_that_goes_on_can_say_how_sure_it_is() -> None:
    world = World()
    run = world.working()
    world.plays(calls(("report_progress", {"confidence": 35, "note": "unsure"}), writes("auth.py", "x")), _READ)
    after = world.turn(TurnLimits(rounds=2))(run)
    assert (after.status, after.reported_confidence) == (TurnStatus.CONTINUE, 35)


@pytest.mark.parametrize(("given", "kept"), [(-5, 0), (1e9, 100), (55.5, 56)])
def test_an_absurd_confidence_is_clamped(given: float, kept: int) -> None:
    world = World()
    run = world.working()
    world.plays(calls(("report_progress", {"confidence": given})), finishes())
    assert world.turn()(run).reported_confidence == kept


def test_a_report_without_a_number_is_not_accepted_and_changes_nothing() -> None:
    world = World()
    run = world.working()
    world.plays(calls(("report_progress", {"confidence": "high"})), finishes())
    after = world.turn()(run)
    assert after.reported_confidence == run.reported_confidence
    assert any(message.text.startswith("Not accepted: report_progress") for message in world.messages)


def test_a_report_of_progress_alone_does_not_end_the_turn() -> None:
    world = World()
    run = world.working()
    world.plays(calls(("report_progress", {"confidence": 90})), finishes("Done."))
    assert world.turn()(run).summary == "Done."


def test_the_card_shows_what_the_model_is_writing_without_half_a_secret() -> None:
    world = World()
    run = world.working()
    world.plays(ModelReply(Message(Role.ASSISTANT, "I will look at the tests with ghp_ZZZZZZZZ"), SCRIPTED))
    world.model.during = lambda request: world.clock.pass_by(timedelta(seconds=2))
    world.turn()(run)
    shown = [str(post) for post in world.discord.edits()]
    assert any("I will look at the tests with" in text for text in shown)
    assert all("ghp_" not in text for text in shown)
    assert "I will look" not in shown[-1] or "Turn 1" in shown[-1]


def test_over_budget_is_never_lost_by_the_turn() -> None:
    world = World()
    run = world.working()
    world.model.faults[Purpose.TURN].append(OverBudget("no money", period="run"))
    assert world.turn()(run).waiting is Waiting.MONEY
