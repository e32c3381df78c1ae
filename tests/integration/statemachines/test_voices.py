"""Requests that several models weigh, and those to a model that somebody named."""

import pytest

from devstack.discord.records import Message
from devstack.discord.seed import ADA_ID, GENERAL_ID, LINUS_ID
from discord_agent.domain.classification import FlowType
from discord_agent.domain.ids import MessageId, ThreadId, choice_of
from discord_agent.domain.money import Usd
from discord_agent.domain.run import Outcome
from discord_agent.domain.session import ExecutionStatus
from tests.support.eventually import eventually
from tests.support.stage import Run, Stage

FOR_GOOD = "WorkspaceDamaged"
"""No Retry names it."""
FIRST, SECOND = '"voice": {"number": 1', '"voice": {"number": 2'
PATIENCE = 40.0


def buttons(message: Message) -> list[str]:
    return [button["custom_id"] for row in message.components for button in row["components"]]


def cards(run: Run) -> list[str]:
    return [embed["description"] for post in run.posts("") for embed in post.embeds if run.execution in str(embed)]


def answer_to(stage: Stage, message: MessageId) -> Message | None:
    found = (post for post in stage.discord.messages(GENERAL_ID) if (post.reference or {}).get("message_id") == message)
    return next(found, None)


def written(stage: Stage, user: str, text: str) -> Run:
    message = MessageId(stage.discord.post(user, GENERAL_ID, text).id)
    return Run(stage, message, ThreadId(GENERAL_ID), FlowType.BREAKGLASS)


@pytest.mark.parametrize(("dead", "left"), [(FIRST, "claude-sonnet-4.5"), (SECOND, "gemini-3-pro")])
def test_one_model_that_fails_is_a_voice_less_and_people_are_told(stage: Stage, dead: str, left: str) -> None:
    run = stage.ready(f"Different approaches without {dead}?", flow=FlowType.BRANCH)
    run.fail("brainstorm", FOR_GOOD, where=dead)
    run.launch()
    story = run.ended()
    assert story.status == "SUCCEEDED"
    assert sorted(story.states) == sorted(["Frame", "Voices", "Brainstorm", "Brainstorm", "Silent", "Consolidate"])
    assert story.errors("Brainstorm") == [FOR_GOOD]
    assert run.endings == ["🏁 Execution Complete"]
    assert len(run.record.options) == 2
    silent = ({"gemini-3-pro", "claude-sonnet-4.5"} - {left}).pop()
    assert [card for card in cards(run) if silent in card and "gave nothing" in card]
    assert run.posts(f"⚠️ {silent} gave no options.")


def test_without_any_voice_the_run_fails_in_one_message(stage: Stage) -> None:
    run = stage.ready("Different approaches without anybody?", flow=FlowType.BRANCH)
    run.fail("brainstorm", FOR_GOOD, where=FIRST)
    run.fail("brainstorm", FOR_GOOD, where=SECOND)
    run.launch()
    story = run.ended()
    assert (story.status, story.error) == ("FAILED", "NoProposals")
    assert story.states[-3:] == ["Consolidate", "Fail", "Failed"]
    assert run.endings == ["❌ **Failed.**"]
    assert run.posts("None of the models that were asked gave an answer.")
    assert (run.record.status, run.record.outcome) == (ExecutionStatus.FAILED, Outcome.FAILED)


def test_a_chosen_option_is_carried_out_by_an_agent_that_knows_it(stage: Stage) -> None:
    asked = stage.say("What are the pros and cons of a short note?")
    run = Run(stage, asked.message, ThreadId(GENERAL_ID), FlowType.BRANCH)
    assert run.ended().status == "SUCCEEDED"
    assert "asks for options" in run.record.reasons.flow
    last = next(post for post in reversed(run.posts("")) if buttons(post))
    assert stage.discord.press(ADA_ID, GENERAL_ID, last.id, buttons(last)[1]).fault == ""
    story = stage.ended("sequential_thinking", choice_of(run.execution, 2))
    carried_out = stage.executions.get(choice_of(run.execution, 2))
    assert story.status == "SUCCEEDED"
    assert carried_out is not None
    assert run.record.options[1].text in carried_out.request
    assert carried_out.outcome is Outcome.DONE


def test_who_may_not_name_a_model_is_refused_before_anything_is_spent(stage: Stage) -> None:
    calls = len(stage.model.calls)
    run = written(stage, LINUS_ID, "@opus why is the simple thing so?")
    refusal = eventually(lambda: answer_to(stage, run.message), seconds=PATIENCE)
    assert refusal is not None
    assert "may use breakglass" in refusal.content
    assert stage.executions.get(run.execution) is None
    assert len(stage.model.calls) == calls
    [row] = [
        row for row in stage.audit.entries(ThreadId(GENERAL_ID)) if row.kind == "refused" and row.actor == LINUS_ID
    ]
    assert row.details["sentence"] == refusal.content


def test_who_may_name_a_model_is_answered_by_it_on_record_and_on_the_account(stage: Stage) -> None:
    run = written(stage, ADA_ID, "@Opus why is the simple thing so?")
    assert run.ended().status == "SUCCEEDED"
    answer = answer_to(stage, run.message)
    assert answer is not None
    assert "An answer." in answer.content
    [call] = [call for call in stage.model.calls if "why is the simple thing so?" in str(call.messages)]
    assert call.model == "claude-opus-4.5"
    assert "@Opus" not in str(call.messages)
    [row] = [
        row
        for row in stage.audit.entries(ThreadId(GENERAL_ID))
        if row.kind == "breakglass" and row.execution_id == run.execution
    ]
    assert (row.actor, row.details["alias"], row.details["model"]) == (ADA_ID, "opus", "claude-opus-4.5")
    assert run.record.cost.known > Usd()
    assert run.record.reasons.flow == "the message begins with @opus"


def test_a_model_that_nobody_knows_is_an_error_that_people_see(stage: Stage) -> None:
    run = written(stage, ADA_ID, f"<@{stage.discord.bot_id}> @opsu why is the simple thing so?")
    assert run.ended().status == "SUCCEEDED"
    answer = answer_to(stage, run.message)
    assert answer is not None
    assert "I do not know a model by the name of `@opsu`." in answer.content
    assert "`@opus`" in answer.content
    assert (run.record.outcome, run.record.cost.known) == (Outcome.FAILED, Usd())
