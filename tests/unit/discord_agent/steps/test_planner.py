from collections.abc import Mapping
from copy import replace
from typing import Any

from discord_agent.domain import memory, planning
from discord_agent.domain.conversation import Purpose
from discord_agent.domain.errors import ModelUnavailable
from discord_agent.domain.ids import ChannelId, ExecutionId, MessageId, ThreadId
from discord_agent.domain.inbound import Attachment, Author, InboundMessage
from discord_agent.domain.memory import Insight
from discord_agent.domain.run import Next, RunState
from discord_agent.domain.session import LastRun, Objection
from tests.support.fakes.effects import Death, Moments, die
from tests.support.fakes.models import answers, says
from tests.support.fakes.world import ADA, BOB, EXECUTION, GUILD, THREAD, World

_PLAN = answers(topic_slug="token-login", plan_content="# Plan\n1. Read auth.py")
_LESSON = answers(strategy_change="Hash with argon2.", key_insight="Use argon2 for passwords.")
_EARLIER = ExecutionId("m-299999999999999999")
_LAST = LastRun("turns: 9", 41, 60, 40, 30.0, issues=("Errors occurred: 3.",))


def _prepared(world: World, **plan: Any) -> RunState:
    run = world.working(topic="general-task", max_turns=0, next=Next.PLAN)
    world.journal.contexts.clear()
    world.plays(answers(**plan) if plan else _PLAN, purpose=Purpose.PLAN)
    world.plays(answers(title="Log in"), purpose=Purpose.TITLE)
    return replace(run, channel_id=ChannelId(THREAD))


def _rejected(world: World, run: RunState, reason: str = "it uses MD5") -> None:
    """An earlier run of the thread whose commit a person rejected."""
    reached = replace(run, execution_id=_EARLIER, turn=4, score=90)
    world.executions.rows[_EARLIER] = replace(world.row, execution_id=_EARLIER, reached=reached)
    objection = Objection(_EARLIER, BOB, world.clock.now(), reason)
    world.sessions.update(THREAD, rejection=objection, last_run=replace(_LAST, issues=()))
    world.plays(_LESSON, purpose=Purpose.REFLECT)


def _facts(world: World) -> Mapping[str, Any]:
    return world.prompts.values_of("plan_request")


def test_a_rejection_is_reflected_on_before_the_next_plan_which_is_told_of_it() -> None:
    world = World()
    run = _prepared(world)
    _rejected(world, run)
    after = world.plan()(run)
    told = _facts(world)["memory"]
    assert "Evidence: A person rejected the commit: it uses MD5." in told
    assert "(score 41)" in told
    assert "Strategy change: Hash with argon2." in told
    assert "1. Use argon2 for passwords." in told
    assert after.lesson == "Use argon2 for passwords."
    [insight] = world.insights.list(memory.shelf(GUILD, THREAD))
    assert (insight.author_id, insight.execution_id) == (BOB, _EARLIER)
    assert any("🧠 learned: Use argon2" in line for line in after.card_lines)
    assert world.sessions.get(THREAD).rejection is None


def test_what_was_learned_reaches_the_actor_too() -> None:
    world = World()
    run = _prepared(world)
    _rejected(world, run)
    world.plan()(run)
    assert world.prompts.values_of("task")["memory"] == _facts(world)["memory"]


def test_a_thumb_down_after_the_end_is_reflected_on_too() -> None:
    world = World()
    run = _prepared(world)
    _rejected(world, run)
    objection = world.sessions.get(THREAD).rejection
    world.sessions.update(THREAD, rejection=None, dislike=objection)
    world.plan()(run)
    assert "Evidence: A person gave the result a thumb down: it uses MD5." in _facts(world)["memory"]


def test_a_rejection_that_no_model_can_reflect_on_is_told_all_the_same() -> None:
    world = World()
    run = _prepared(world)
    _rejected(world, run)
    world.model.faults[Purpose.REFLECT].append(ModelUnavailable("down"))
    world.plan()(run)
    assert "A person rejected the commit: it uses MD5." in _facts(world)["memory"]


def test_an_objection_to_a_run_that_is_gone_is_dropped() -> None:
    world = World()
    run = _prepared(world)
    world.sessions.update(THREAD, dislike=Objection(_EARLIER, BOB, world.clock.now()))
    world.plan()(run)
    assert world.sessions.get(THREAD).dislike is None
    assert world.reflections.list(THREAD) == ()
    assert [row.actor for row in world.audit.of("objection_dropped")] == [BOB]


def test_a_plan_that_dies_anywhere_reflects_on_a_rejection_once() -> None:
    world = World()
    run = _prepared(world)
    _rejected(world, run)
    with world.effects.watch(moments := Moments()):
        world.plan()(run)
    for at in range(len(moments.seen)):
        world = World()
        run = _prepared(world)
        world.plays(_PLAN, _PLAN, purpose=Purpose.PLAN)
        _rejected(world, run)
        world.plays(_LESSON, _LESSON, purpose=Purpose.REFLECT)
        try:
            with world.effects.watch(Moments(at, die)):
                world.plan()(run)
        except Death:
            world.plan()(run)
        assert len(world.reflections.list(THREAD)) == 1
        assert [item.times for item in world.insights.list(memory.shelf(GUILD, THREAD))] == [1]
        assert world.sessions.get(THREAD).rejection is None


def test_the_insights_of_the_guild_are_given_with_those_of_the_thread_first() -> None:
    world = World()
    run = _prepared(world)
    shelf = memory.shelf(GUILD, THREAD)
    elsewhere = Insight("a", "Pin the versions.", world.clock.now(), ThreadId("9"), _EARLIER, ADA)
    world.insights.learn(shelf, elsewhere)
    world.insights.learn(shelf, replace(elsewhere, id="b", text="Read the traceback.", learned_in=THREAD))
    world.plan()(run)
    assert _facts(world)["memory"].endswith("1. Read the traceback.\n2. Pin the versions.")


def test_the_planner_is_told_of_topics_uploads_and_the_whole_thread() -> None:
    world = World()
    run = _prepared(world)
    world.sessions.update(THREAD, topic="token-login", topics=("token-login", "cleanup"))
    world.executions.update(EXECUTION, attachments=(Attachment("1", "key list.txt", "https://cdn.example/k", 5),))
    world.discord.past[THREAD] = tuple(
        InboundMessage(
            MessageId(f"3100000000000{number:05}"), ChannelId(THREAD), None, Author(BOB, "Bob"), f"Point {number}"
        )
        for number in range(1, 101)
    )
    world.plays(says("- Points 1 to 50."), purpose=Purpose.SUMMARIZE)
    world.plan()(run)
    facts = _facts(world)
    assert facts["session"].topics == ("token-login", "cleanup")
    assert facts["added"] == [".agent/uploads/key_list.txt"]
    assert facts["history"][0].endswith("- Points 1 to 50.")
    assert facts["history"][-1] == "Bob: Point 100"


def test_absurd_values_are_set_right_and_the_audit_trail_says_why() -> None:
    world = World()
    steps = "\n".join(f"{number}. Do it." for number in range(10_000))
    run = _prepared(
        world,
        plan_content=steps,
        agent_role="emperor",
        estimated_turns=-3,
        complexity="complex",
        confidence_assessment={"score": 1e9},
    )
    after = world.plan()(run)
    assert (after.role, after.confidence, after.next) == ("python-coder", 100, Next.TURN)
    assert len(world.workspaces.files(THREAD)[".agent/plans/general-task.md"]) <= planning.PLAN_LIMIT
    [row] = world.audit.of("plan_adjusted")
    assert [reason.split(":")[0] for reason in row.details["reasons"]] == [
        "agent_role",
        "estimated_turns",
        "score",
        "plan_content",
    ]


def test_a_topic_that_goes_on_keeps_its_name() -> None:
    world = World()
    run = _prepared(world, topic_slug="login", is_new_topic=False)
    world.sessions.update(THREAD, topic="token-login")
    assert world.plan()(run).topic == "token-login"
    [row] = world.audit.of("plan_adjusted")
    assert row.details["reasons"] == ["topic_slug: login goes on as token-login"]


def test_what_the_planner_makes_of_a_run_that_went_wrong_is_kept() -> None:
    world = World()
    run = _prepared(world, reflection={"what_failed": "Guessing.", "key_insight": "N/A"})
    world.sessions.update(THREAD, last_run=_LAST)
    world.plan()(run)
    [reflection] = world.reflections.list(THREAD)
    assert (reflection.what_failed, reflection.key_insight, reflection.score) == ("Guessing.", "", 41)
    assert reflection.evidence == "Errors occurred: 3."


def test_what_the_planner_makes_of_nothing_is_not_kept() -> None:
    world = World()
    run = _prepared(world, reflection={"what_failed": "Guessing."})
    world.sessions.update(THREAD, last_run=replace(_LAST, issues=()))
    world.plan()(run)
    assert world.reflections.list(THREAD) == ()
    [row] = world.audit.of("plan_adjusted")
    assert row.details["reasons"] == ["reflection: nothing is known to have gone wrong before, so it is not kept"]
