from copy import replace

import pytest

from discord_agent.adapters.folders import find_root
from discord_agent.adapters.prompts import TemplatePrompts
from discord_agent.domain.classification import AgentRole, Complexity, TaskType
from discord_agent.domain.conversation import ModelReply, Purpose, Role
from discord_agent.domain.errors import DiscordRefused, InvalidEvent, LeaseLost, ModelRefused, ModelUnavailable
from discord_agent.domain.ids import ChannelId, MessageId, ModelName
from discord_agent.domain.inbound import Author, InboundMessage
from discord_agent.domain.run import Next, RunState
from discord_agent.domain.session import LastRun, Reasons
from tests.support.fakes.effects import Death, Moments, die
from tests.support.fakes.models import LADDER, PRICE, TOKENS, answers, finishes, says
from tests.support.fakes.world import BOB, EXECUTION, REQUEST, THREAD, World

PLAN = answers(
    reformulated_prompt="Accept signed tokens in login().",
    topic_slug="Token Login!",
    plan_content="# Plan\n1. Read auth.py",
    instruction_content="# Instructions\nKeep the API.",
    task_type="database-design",
    agent_role="dba",
    complexity="simple",
    estimated_turns=4,
    confidence_assessment={"has_progress": False, "score": 64, "reasoning": "clear"},
)
PROMPTS = TemplatePrompts(find_root())
TITLE = answers(title='"Log in with tokens"')


def _prepared(world: World, plan: ModelReply = PLAN) -> RunState:
    run = world.working(model=LADDER[0], topic="general-task", max_turns=0, next=Next.PLAN)
    world.journal.contexts.clear()
    world.plays(plan, purpose=Purpose.PLAN)
    world.plays(TITLE, TITLE, purpose=Purpose.TITLE)
    return run


def test_the_plan_decides_who_works_how_long_and_on_what() -> None:
    world = World()
    after = world.plan()(_prepared(world))
    assert (after.topic, after.role, after.task_type) == ("token-login", AgentRole.DBA, TaskType.DATABASE)
    assert (after.complexity, after.max_turns, after.confidence) == (Complexity.SIMPLE, 4, 64)
    assert (after.model, after.next) == (LADDER[0], Next.TURN)
    assert after.usage == TOKENS + TOKENS
    assert after.cost == PRICE + PRICE


def test_it_is_kept_why_the_role_and_the_model_are_what_they_are() -> None:
    world = World()
    run = _prepared(world)
    world.executions.update(EXECUTION, reasons=Reasons("it was chosen with /flow", "a guess", "a guess"))
    world.plan()(run)
    assert world.row.reasons == Reasons(
        "it was chosen with /flow",
        "the plan has a dba do this as database-design",
        f"{LADDER[0]} is the model of a dba",
    )


def test_that_people_asked_for_a_stronger_model_is_not_put_down_to_the_plan() -> None:
    world = World()
    run = _prepared(world)
    asked = Reasons(model="a stronger one was asked for")
    world.executions.update(EXECUTION, reasons=asked, stronger_than=LADDER[0])
    world.plan()(run)
    assert world.row.reasons.model == asked.model


def test_who_wrote_the_last_commit_does_not_review_it() -> None:
    world = World()
    run = _prepared(world, answers(agent_role="code-reviewer", task_type="code-review"))
    world.sessions.update(THREAD, author_model=LADDER[0])
    assert world.plan()(run).model == LADDER[1]


@pytest.mark.parametrize(
    ("came_to", "begins_with"), [("", LADDER[1]), (LADDER[1], LADDER[2]), (LADDER[-1], LADDER[-1])]
)
def test_a_try_with_a_stronger_model_begins_above_the_one_that_the_last_try_came_to(
    came_to: str, begins_with: ModelName
) -> None:
    world = World()
    run = replace(_prepared(world), wants_stronger=True, model=ModelName(came_to))
    after = world.plan()(run)
    assert (after.model, after.wants_stronger) == (begins_with, False)


def test_plan_and_instructions_go_into_the_workspace() -> None:
    world = World()
    after = world.plan()(_prepared(world))
    files = world.workspaces.files(THREAD)
    assert files[".agent/plans/token-login.md"] == b"# Plan\n1. Read auth.py"
    assert files[".agent/instructions/token-login.md"] == b"# Instructions\nKeep the API."
    assert after.manifest_id == world.workspaces.heads[THREAD].manifest_id


def test_the_actor_starts_with_its_role_and_the_task_with_the_plan() -> None:
    world = World()
    world.plan()(_prepared(world))
    system, task = world.messages
    assert (system.role, task.role) == (Role.SYSTEM, Role.USER)
    assert system.text.startswith("[roles/dba]")
    assert "Keep the API." in task.text
    assert world.prompts.values_of("task")["record"].request == REQUEST


def test_what_people_wrote_reaches_no_system_prompt() -> None:
    world = World()
    world.plan()(_prepared(world))
    for request in world.model.requests:
        assert all(REQUEST not in message.text for message in request.messages if message.role is Role.SYSTEM)


def test_the_planner_sees_everything_that_is_remembered() -> None:
    world = World()
    run = _prepared(world)
    last = LastRun("turns: 9", 41, 60, 40, 30.0, ("Errors occurred: 3.",), ("Find the cause first.",))
    world.sessions.update(THREAD, last_run=last, confidence=41, topic="old-topic")
    line = InboundMessage(MessageId("299999999999999999"), ChannelId(THREAD), None, Author(BOB, "Bob"), "Mind the API")
    world.discord.past[THREAD] = (line,)
    world.plan()(run)
    facts = world.prompts.values_of("plan_request")
    assert facts["session"].confidence == 41
    assert "Errors occurred: 3." in facts["memory"]
    assert facts["files"] == ["auth.py", "test_auth.py"]
    assert facts["record"].author_name == "Ada"


def test_the_plan_is_audited_and_shown_on_the_card() -> None:
    world = World()
    after = world.plan()(_prepared(world))
    [row] = world.audit.of("plan")
    assert (row.details["topic"], row.details["maxTurns"], row.details["model"]) == ("token-login", 4, LADDER[0])
    assert row.details["task"] == "Accept signed tokens in login()."
    assert (row.details["isNewTopic"], row.details["hasProgress"], row.details["reasoning"]) == (True, False, "clear")
    assert "📋 Plan: token-login" in after.card_lines[-1]


@pytest.mark.parametrize("fault", [ModelUnavailable("down"), ModelRefused("401")])
def test_a_planner_that_cannot_be_asked_costs_the_plan_not_the_run(fault: Exception) -> None:
    world = World()
    run = _prepared(world)
    world.model.faults[Purpose.PLAN].append(fault)
    after = world.plan()(run)
    assert (after.topic, after.role, after.task_type) == ("general-task", run.role, run.task_type)
    assert (after.max_turns, after.next) == (20, Next.TURN)
    assert b"wrote no plan" in world.workspaces.files(THREAD)[".agent/plans/general-task.md"]
    [row] = world.audit.of("plan_failed")
    assert type(fault).__name__ in row.details["reason"]


def test_a_planner_whose_reply_is_invalid_twice_is_done_without() -> None:
    world = World()
    run = _prepared(world)
    world.plays(says("I plan to plan."), says("Really."), purpose=Purpose.PLAN)
    after = world.plan()(run)
    assert (after.topic, after.next) == ("general-task", Next.TURN)
    assert len(world.model.asked(Purpose.PLAN)) == 2


def test_a_planner_whose_reply_is_invalid_once_is_asked_again() -> None:
    world = World()
    run = _prepared(world)
    world.plays(says("I plan to plan."), PLAN, purpose=Purpose.PLAN)
    after = world.plan()(run)
    assert after.topic == "token-login"
    assert after.cost == PRICE + PRICE + PRICE


def test_a_thread_that_was_opened_for_the_run_gets_a_title_and_any_other_keeps_its_own() -> None:
    world = World()
    world.plan()(_prepared(world))
    assert world.discord.titles[THREAD] == "Log in with tokens"
    world = World()
    run = _prepared(world)
    world.plan()(replace(run, channel_id=ChannelId(THREAD)))
    assert world.discord.titles[THREAD] == "Log in with a token"
    assert world.model.asked(Purpose.TITLE) == []


def test_a_title_is_made_from_the_first_five_hundred_characters() -> None:
    world = World()
    run = _prepared(world)
    world.executions.rows[EXECUTION] = replace(world.row, request="x" * 500 + "y" * 500)
    world.plan()(run)
    [request] = world.model.asked(Purpose.TITLE)
    assert request.messages[-1].text.count("x" * 500) == 1
    assert "xy" not in request.messages[-1].text


def test_a_title_that_cannot_be_had_costs_only_the_title() -> None:
    world = World()
    run = _prepared(world)
    world.discord.failures["rename"] = lambda: DiscordRefused("Missing Permissions", status=403)
    assert world.plan()(run).next is Next.TURN
    assert len(world.audit.of("title_failed")) == 1


def test_a_history_that_discord_refuses_costs_only_the_history() -> None:
    world = World()
    run = _prepared(world)
    world.discord.failures["history"] = lambda: DiscordRefused("Missing Access", status=403)
    assert world.plan()(run).next is Next.TURN
    assert world.prompts.values_of("plan_request")["history"] == ()


def test_a_plan_that_dies_anywhere_is_made_again_and_the_turn_finds_one_opening() -> None:
    world = World()
    world.prompts.real = PROMPTS
    run = _prepared(world)
    with world.effects.watch(moments := Moments()):
        world.plan()(run)
    messages, files = world.messages, world.workspaces.files(THREAD)
    for at in range(len(moments.seen)):
        world = World()
        world.prompts.real = PROMPTS
        run = _prepared(world)
        world.plays(PLAN, PLAN, purpose=Purpose.PLAN)
        with pytest.raises(Death), world.effects.watch(Moments(at, die)):
            world.plan()(run)
        after = world.plan()(run)
        assert world.messages == messages
        assert world.workspaces.files(THREAD) == files
        assert after.manifest_id == world.workspaces.heads[THREAD].manifest_id
        world.plays(finishes())
        assert world.turn()(after).turn == 1


def test_a_late_attempt_does_not_take_a_run_back_to_its_plan() -> None:
    world = World()
    run = _prepared(world)
    world.plays(PLAN, PLAN, purpose=Purpose.PLAN)
    world.plays(finishes())

    def overtake(moment: str) -> None:
        is_planned = len(world.model.asked(Purpose.PLAN)) == 1
        if moment == "after model.complete" and is_planned:
            with world.effects.watch(None):
                world.turn()(world.plan()(run))

    with world.effects.watch(overtake), pytest.raises(LeaseLost):
        world.plan()(run)
    assert world.journal.contexts[EXECUTION].turn == 1


def test_a_run_that_was_not_prepared_cannot_be_planned() -> None:
    world = World()
    run = _prepared(world)
    del world.workspaces.heads[THREAD]
    with pytest.raises(InvalidEvent):
        world.plan()(run)
