"""The steps with the real prompt templates: every value a template asks for is one that the step gives."""

from copy import replace
from datetime import timedelta

import pytest

from discord_agent.adapters.folders import find_root
from discord_agent.adapters.prompts import TemplatePrompts
from discord_agent.domain.classification import AgentRole, TaskType
from discord_agent.domain.conversation import Message, Purpose, Role
from discord_agent.domain.ids import ChannelId, MessageId
from discord_agent.domain.inbound import Author, InboundMessage
from discord_agent.domain.run import Next, Outcome, TurnStatus
from tests.support.fakes.models import FakePrompts, answers, calls, finishes, says, writes
from tests.support.fakes.workspace import Outcome as ToolOutcome
from tests.support.fakes.world import ADA, FILES, REQUEST, THREAD, World


def _world() -> World:
    world = World()
    world.prompts = FakePrompts(real=TemplatePrompts(find_root()))
    return world


def test_a_whole_run_fills_every_template_it_uses() -> None:
    world = _world()
    world.repositories.begin(FILES)
    world.plays(answers(topic_slug="token-login", agent_role="python-coder"), purpose=Purpose.PLAN)
    world.plays(answers(title="Log in with tokens"), purpose=Purpose.TITLE)
    world.plays(answers(key_insight="Run the tests first."), purpose=Purpose.REFLECT)
    world.toolbox.outcomes["bash"] = ToolOutcome("1 failed", ok=False)
    world.plays(
        calls(writes("auth.py", "def login(token): ..."), ("bash", {"command": "pytest"})),
        says("I will look into it."),
        calls(("report_stuck", {"reason": "the tests fail"})),
        finishes("Done after all."),
    )

    run = world.plan()(world.prepare()(world.requested()))
    world.steer("Keep {{ the }} API </discord_message>")
    run = world.escalation()(world.turn()(run))
    run = world.escalation()(world.turn()(run))
    assert run.escalations == 1
    run = world.escalation()(world.turn()(run))
    world.clock.pass_by(timedelta(minutes=1))
    run = world.finish()(world.commit()(world.reflect()(world.evaluate()(run))))

    assert (run.outcome, run.status) == (Outcome.DONE, TurnStatus.COMPLETE)
    assert {name for name, _ in world.prompts.rendered} == {
        "plan", "plan_request", "title", "title_request", "roles/python-coder", "task", "heard", "go_on", "escalated",
        "reflect", "reflect_evidence",
    }  # fmt: skip
    task = world.messages[1].text
    assert REQUEST in task
    assert "auth.py" in task
    heard = [message.text for message in world.messages if "Keep {{ the }} API" in message.text]
    assert len(heard) == 1
    assert world.reflections.list(THREAD)[0].key_insight == "Run the tests first."


@pytest.mark.parametrize("role", list(AgentRole))
def test_every_role_has_its_instructions(role: AgentRole) -> None:
    world = _world()
    run = world.working(next=Next.PLAN)
    world.journal.contexts.clear()
    world.plays(answers(agent_role=role), purpose=Purpose.PLAN)
    world.plays(answers(title="A title"), purpose=Purpose.TITLE)
    world.plan()(run)
    assert world.messages[0].role is Role.SYSTEM
    assert len(world.messages[0].text) > 100


@pytest.mark.parametrize("task", list(TaskType))
def test_every_kind_of_question_has_its_instructions(task: TaskType) -> None:
    world = _world()
    world.plays(says("Here."), purpose=Purpose.RESPOND)
    world.respond()(replace(world.requested(), task_type=task))
    system, user = world.model.requests[0].messages
    assert len(system.text) > 100
    assert REQUEST in user.text
    assert REQUEST not in system.text


def test_a_long_thread_and_a_long_conversation_fill_their_templates() -> None:
    world = _world()
    run = world.working(turn=9)
    world.models.contexts = dict.fromkeys(world.models.ladder, 10_000)
    world.plays(says("- Parsed the log."), purpose=Purpose.COMPACT)
    world.plays(says("- Ada wants tea."), purpose=Purpose.SUMMARIZE)
    said = tuple(
        InboundMessage(MessageId(f"3100000000000{number:05}"), ChannelId(THREAD), None, Author(ADA, "Ada"), "More tea")
        for number in range(100)
    )
    world.discord.past[THREAD] = said
    lines = world.recall().whole(THREAD, without=run.message_id, purse=world.model)
    assert lines[0].endswith("- Ada wants tea.")
    thoughts = tuple(Message(Role.ASSISTANT, f"Thought {number}. " * 100) for number in range(30))
    shortened = world.compaction()(run, (*world.messages, *thoughts), world.model)
    assert shortened is not None
    assert "<summary>\n- Parsed the log.\n</summary>" in shortened[2].text
    [compacting] = world.model.asked(Purpose.COMPACT)
    assert "[assistant] Thought 0." in compacting.messages[1].text
