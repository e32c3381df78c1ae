"""Runs that meet the outside world as it is: others hold the thread, providers refuse, hosts are down, people stop."""

from datetime import UTC, datetime, timedelta

import pytest

from devstack.aws.functions.faults import Gate
from devstack.discord.seed import ADA_ID, GENERAL_ID
from discord_agent.adapters.clock import SystemClock
from discord_agent.adapters.dynamodb.budgets import DynamoBudgets
from discord_agent.adapters.dynamodb.leases import DURATION, DynamoLeases
from discord_agent.adapters.dynamodb.store import Store
from discord_agent.domain.budget import Payer, Slice
from discord_agent.domain.ids import ExecutionId, GuildId, UserId, retry_of
from discord_agent.domain.money import Cost
from discord_agent.domain.policy import RUN_LIMIT
from discord_agent.domain.run import Outcome
from discord_agent.system import SYSTEM
from tests.support.eventually import eventually
from tests.support.stage import Run, Stage

COMPLETE = ["🏁 Execution Complete"]
FAILED = ["❌ **Failed.**"]
STOPPED = ["⏹️ **Stopped**"]
OUT_OF_BUDGET = ["⚠️ **Not finished**"]
NEEDS_YOU = ["💬 **I need you**"]
ELSE = ExecutionId("somebody-else")


class Later(SystemClock):
    """A clock that is ahead by more than a lease lasts."""

    def now(self) -> datetime:
        return datetime.now(UTC) + DURATION + timedelta(minutes=1)


def gates(run: Run, function: str, count: int) -> list[Gate]:
    return [run.stage.faults.hold_next(function, only=(run.execution,)) for _ in range(count)]


def let_in_after_a_conflict(run: Run, first: Gate, second: Gate) -> None:
    """Somebody else holds the thread at the first attempt and gives it back before the second."""
    first.await_call()
    run.stage.leases.acquire(run.thread, ELSE)
    first.open()
    second.await_call()
    run.stage.leases.release(run.thread, ELSE)
    second.open()


def test_a_run_waits_while_another_one_holds_the_thread(stage: Stage) -> None:
    run = stage.ready("Write a short note when it is your turn")
    prepare = gates(run, "prepare", 2)
    run.launch()
    let_in_after_a_conflict(run, *prepare)
    story = run.ended()
    assert (story.status, story.errors("Prepare")) == ("SUCCEEDED", ["Conflict"])
    assert (run.endings, run.holder) == (COMPLETE, None)


def test_an_answered_run_waits_while_somebody_else_holds_the_thread(stage: Stage) -> None:
    run = stage.start("Write a note after a question, when the thread is free again")
    run.asked()
    turn = gates(run, "turn", 2)
    run.say("In Greek.")
    let_in_after_a_conflict(run, *turn)
    story = run.ended()
    assert (story.status, story.errors("Turn")) == ("SUCCEEDED", ["Conflict"])
    assert (run.endings, run.holder) == (COMPLETE, None)


def test_a_question_that_nobody_answers_ends_the_run_once_the_thread_is_free(stage: Stage) -> None:
    run = stage.ready("Write a note after a question that nobody answers")
    run.fail("clarify", "States.Timeout", after=True)
    evaluate = gates(run, "evaluate", 2)
    run.launch()
    let_in_after_a_conflict(run, *evaluate)
    story = run.ended()
    assert (story.errors("Clarify"), story.errors("Evaluate")) == (["States.Timeout"], ["Conflict"])
    assert story.states[-4:] == ["Evaluate", "Reflect", "Commit", "Finish"]
    assert (run.record.outcome, run.endings) == (Outcome.NEEDS_YOU, NEEDS_YOU)
    assert (run.holder, run.session.parked) == (None, None)


def test_a_budget_that_nobody_extends_ends_the_run_with_a_way_on(stage: Stage) -> None:
    run = stage.ready("Write a short note that nobody can pay for")
    spend_all(run)
    run.fail("clarify", "States.Timeout", after=True)
    run.launch()
    story = run.ended()
    assert (story.status, story.errors("Clarify")) == ("SUCCEEDED", ["States.Timeout"])
    assert (run.record.outcome, run.endings) == (Outcome.OUT_OF_BUDGET, OUT_OF_BUDGET)
    assert (run.holder, run.session.parked) == (None, None)
    assert not run.model_calls("turn")


def spend_all(run: Run) -> None:
    """Leave nothing of the run's limit."""
    stage, clock = run.stage, SystemClock()
    tables = Store(stage.aws.client("dynamodb"))
    budgets = DynamoBudgets(tables, SYSTEM.tables["sessions"].name, stage.sessions, clock)
    payer = Payer(run.execution, UserId(ADA_ID), GuildId(stage.discord.guild_id))
    spent = Slice(f"{run.execution}/turn/earlier", payer, "turn", RUN_LIMIT, budgets.accounts_of(payer))
    budgets.settle(budgets.reserve(spent, at_least=RUN_LIMIT), Cost(RUN_LIMIT))


def test_a_run_that_lost_its_thread_ends_without_touching_it(stage: Stage) -> None:
    run = stage.ready("Write a short note while the thread is taken away")
    escalation = gates(run, "escalation", 1)[0]
    run.launch()
    escalation.await_call()
    sessions = SYSTEM.tables["sessions"].name
    DynamoLeases(Store(stage.aws.client("dynamodb")), sessions, Later()).acquire(run.thread, ELSE)
    escalation.open()
    story = run.ended()
    assert (story.status, story.error) == ("FAILED", "LeaseLost")
    assert run.endings == FAILED
    assert run.holder == ELSE


def test_a_provider_that_asks_for_patience_gets_it_from_the_machine(stage: Stage) -> None:
    run = stage.start("Write a throttled note")
    story = run.ended()
    assert (story.status, story.errors("Turn")) == ("SUCCEEDED", ["ModelUnavailable"])
    assert (run.endings, run.holder) == (COMPLETE, None)


def test_a_provider_that_refuses_fails_the_run_at_once(stage: Stage) -> None:
    run = stage.start("Write a refused note")
    story = run.ended()
    assert (story.status, story.errors("Turn")) == ("FAILED", ["ModelRefused"])
    assert (run.endings, run.holder) == (FAILED, None)


def test_a_sandbox_that_dies_is_tried_again_and_the_model_is_told(stage: Stage) -> None:
    run = stage.ready("Write a short note in a sandbox that dies")
    run.fail("sandbox", "Runtime.ExitError")
    run.launch()
    story = run.ended()
    assert (story.status, story.errors("Turn")) == ("SUCCEEDED", ["SandboxUnavailable"])
    assert "Interrupted before its result was saved" in str(run.model_calls("turn")[-1].messages)
    assert (run.endings, run.holder) == (COMPLETE, None)


@pytest.mark.parametrize(
    ("status", "times", "error", "ending"),
    [(503, 5, "DiscordUnavailable", COMPLETE), (403, 1, "DiscordRefused", FAILED)],
)
def test_discord_may_be_away_for_a_while_but_not_say_no(
    stage: Stage, status: int, times: int, error: str, ending: list[str]
) -> None:
    stage.discord.faults.fail_next("POST", "/channels/{channel}/messages/{message}/threads", status, times)
    run = stage.start(f"Write a short note although Discord answers {status}")
    story = run.ended()
    assert story.errors("Prepare") == [error]
    assert (run.endings, run.holder) == (ending, None)


def test_a_run_that_found_its_git_host_down_can_be_tried_again(stage: Stage) -> None:
    stage.git.stop()
    try:
        run = stage.start("Write a short note into a repository that is away")
        story = run.ended()
    finally:
        stage.git.start()
    assert story.errors("Prepare") == ["RepositoryUnavailable"] * 4
    assert (run.endings, run.holder) == (FAILED, None)
    message = next(post for post in run.posts("❌ **Failed.**") if run.execution in post.content)
    button = message.components[0]["components"][0]["custom_id"]
    assert stage.discord.press(ADA_ID, message.channel_id, message.id, button).fault == ""
    again = stage.ended("sequential_thinking", retry_of(run.execution))
    assert again.status == "SUCCEEDED"


def test_a_run_stops_when_somebody_asks_it_to_while_the_model_is_silent(stage: Stage) -> None:
    run = stage.start("Write a silent note")
    record = run.until(lambda record: record.card_message_id)
    eventually(lambda: len(run.model_calls("turn")) == 1, seconds=20)
    assert record.card_message_id is not None
    run.react(record.card_message_id, "🛑")
    story = run.ended()
    assert story.status == "SUCCEEDED"
    assert (run.record.outcome, run.endings, run.holder) == (Outcome.STOPPED, STOPPED, None)
    assert run.session.dirty


def test_a_run_stopped_before_it_could_ask_is_told_as_stopped(stage: Stage) -> None:
    run = stage.ready("Write a note after a question that comes too late")
    clarify = gates(run, "clarify", 1)[0]
    run.launch()
    clarify.await_call()
    stage.executions.request_stop(run.execution, run.record.author_id)
    clarify.open()
    story = run.ended()
    assert (story.status, story.errors("Clarify")) == ("FAILED", ["Stopped"])
    assert (run.record.outcome, run.endings, run.holder) == (Outcome.STOPPED, STOPPED, None)


def test_a_message_goes_the_whole_way_from_discord_to_its_end(stage: Stage) -> None:
    run = stage.say("write a short note, please")
    story = run.ended()
    assert story.status == "SUCCEEDED"
    assert (run.endings, run.holder) == (COMPLETE, None)
    asked = next(message for message in stage.discord.messages(GENERAL_ID) if message.id == run.message)
    assert asked.reactions
