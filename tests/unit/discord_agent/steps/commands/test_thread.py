from copy import replace
from datetime import timedelta

import pytest

from discord_agent.domain.classification import FlowType
from discord_agent.domain.commands import COMMANDS
from discord_agent.domain.ids import ExecutionId, ManifestId, MessageId, ModelName
from discord_agent.domain.inbound import Author
from discord_agent.domain.interrupts import Interrupt
from discord_agent.domain.run import HandedOn, Outcome, Waiting
from discord_agent.domain.session import ExecutionStatus, FlowOverride, Reasons
from tests.support.commands import ADMIN, PERSON, REQUESTER, fields, use
from tests.support.fakes.models import LADDER
from tests.support.fakes.world import BOB, EXECUTION, THREAD, World

ORANGE, GREEN = 0xE67E22, 0x57F287


def _handed_on(world: World, reason: str, *, turn: int = 6) -> HandedOn:
    return HandedOn(turn, LADDER[0], LADDER[1], reason, world.clock.now())


def test_help_names_every_command() -> None:
    [embed] = use(World(), "help").embeds
    assert all(f"`/{command.name}`" in embed.description for command in COMMANDS)


def test_help_begins_with_how_to_talk_to_it() -> None:
    [embed] = use(World(), "help").embeds
    basics, _, commands = embed.description.partition("\n\n")
    assert basics.startswith("Mention me with a task")
    assert all(f"`{word}`" in basics for word in Interrupt)
    assert commands.startswith("`/help`")


def test_the_status_of_a_thread_at_rest_is_green_and_inviting() -> None:
    world = World()
    [embed] = use(world, "status").embeds
    assert (embed.colour, embed.description[:2]) == (GREEN, "🔓 ")
    assert fields(use(world, "status"))["Workspace"] == f"`/workspace/{THREAD}/`"


def test_the_status_of_a_run_at_work_is_told_from_its_records() -> None:
    world = World()
    run = world.working()
    world.executions.update(
        EXECUTION, reached=replace(run, turn=6, max_turns=20, confidence=55, model=LADDER[1]),
        reasons=Reasons("a coding task", "it is Python", "the role's model"),
    )  # fmt: skip
    world.chronicle.note(THREAD, EXECUTION, "checkpoint", turn=5, manifestId=ManifestId("x"))
    world.sessions.update(THREAD, escalations=(_handed_on(world, "same error 3 times"),))
    world.steer("and the docs too")
    world.clock.pass_by(timedelta(minutes=3))
    post = use(world, "status")
    shown = fields(post)
    assert post.embeds[0].colour == ORANGE
    assert (shown["Lock"], shown["Stop asked for"], shown["Role"]) == ("turn 6/20", "no", "python-coder")
    assert (shown["Model"], shown["Confidence"]) == (LADDER[1], "55%")
    assert (shown["Checkpoint"], shown["Messages waiting"]) == ("turn 5, 3m ago", "1")
    assert shown["Last escalation"] == f"{LADDER[0]} → {LADDER[1]}, 3m ago"
    assert shown["Why"] == "**flow**: a coding task\n**role**: it is Python\n**model**: the role's model"


def test_the_status_says_who_asked_for_a_stop() -> None:
    world = World()
    world.working()
    world.executions.request_stop(EXECUTION, BOB)
    assert fields(use(world, "status"))["Stop asked for"] == f"by <@{BOB}>"


@pytest.mark.parametrize(
    ("waiting", "told"),
    [(Waiting.ANSWER, "⏸️ A run waits for your answer: Which key?"), (Waiting.MONEY, "⏸️ A run waits for money")],
)
def test_the_status_says_what_a_parked_run_waits_for(waiting: Waiting, told: str) -> None:
    world = World()
    world.working()
    world.executions.update(EXECUTION, status=ExecutionStatus.PARKED, question="Which key?", waiting=waiting)
    world.sessions.update(THREAD, parked=EXECUTION)
    world.leases.release(THREAD, EXECUTION)
    [embed] = use(world, "status").embeds
    assert embed.description.startswith(told)
    assert embed.colour == ORANGE


def test_the_status_names_the_flow_chosen_for_the_next_message() -> None:
    world = World()
    world.sessions.update(THREAD, flow_override=FlowOverride(FlowType.BRANCH, BOB))
    assert fields(use(world, "status"))["Next message"] == "worked on as branch (/flow)"


@pytest.mark.parametrize(
    ("outcome", "sign"),
    [
        (Outcome.DONE, "✅"),
        (Outcome.FAILED, "❌"),
        (Outcome.OUT_OF_TURNS, "❌"),
        (Outcome.STOPPED, "🛑"),
        (Outcome.NEEDS_YOU, "❓"),
        (None, "❓"),
    ],
)
def test_a_run_is_logged_with_a_sign_for_how_it_ended(outcome: Outcome | None, sign: str) -> None:
    world = World()
    world.working()
    world.executions.update(EXECUTION, outcome=outcome)
    [embed] = use(world, "logs").embeds
    assert embed.description.startswith(f"{sign} **Let people log in with a token**")


@pytest.mark.parametrize(("options", "shown"), [({}, 5), ({"count": "2"}, 2), ({"count": "20"}, 8)])
def test_the_newest_runs_are_logged_five_unless_asked_for_more(options: dict[str, str], shown: int) -> None:
    world = World()
    world.working()
    for number in range(1, 8):
        again = ExecutionId(f"m-{number}")
        asked = world.clock.now() + timedelta(minutes=number)
        world.executions.create(replace(world.row, execution_id=again, request=f"task {number}", created_at=asked))
    world.clock.pass_by(timedelta(minutes=10))
    [embed] = use(world, "logs", options).embeds
    lines = [line for line in embed.description.split("\n") if not line.startswith("-#")]
    assert len(lines) == shown
    assert "task 7" in lines[0]


@pytest.mark.parametrize(("turns", "told"), [(1, " · 1 turn · "), (2, " · 2 turns · ")])
def test_the_log_counts_turns_as_people_do(turns: int, told: str) -> None:
    world = World()
    world.working()
    world.executions.update(EXECUTION, turns=turns)
    [embed] = use(world, "logs").embeds
    assert told in embed.description


def test_a_request_cannot_dress_up_the_log() -> None:
    world = World()
    world.working()
    world.executions.update(EXECUTION, request="**bold**\n# Title <@1>")
    [embed] = use(world, "logs").embeds
    assert r"\*\*bold\*\*" in embed.description
    assert "\n# Title" not in embed.description


def test_the_confidence_of_a_new_thread_is_eighty_and_high() -> None:
    assert fields(use(World(), "confidence")) == {
        "Current": "80%",
        "Level": "High",
        "Trend": "none yet",
        "Turns, oldest first": "none yet",
        "Escalations because of it": "0",
    }


def test_the_confidence_shows_the_newest_ten_turns_and_where_they_lead() -> None:
    world = World()
    world.working()
    for score in [99, 98, 80, 75, 70, 66, 60, 55, 52, 51, 50, 45]:
        world.chronicle.note(THREAD, EXECUTION, "turn", confidence=score)
    reasons = ("confidence below 30% for 2 turns", "same error 3 times")
    world.sessions.update(THREAD, confidence=45, escalations=tuple(_handed_on(world, reason) for reason in reasons))
    shown = fields(use(world, "confidence"))
    assert (shown["Current"], shown["Level"], shown["Trend"]) == ("45%", "Low", "📉 declining")
    assert shown["Turns, oldest first"] == "80% → 75% → 70% → 66% → 60% → 55% → 52% → 51% → 50% → 45%"
    assert shown["Escalations because of it"] == "1"


def test_the_newest_ten_escalations_are_listed_newest_first() -> None:
    world = World()
    world.sessions.update(THREAD, escalations=tuple(_handed_on(world, f"reason {n}", turn=n) for n in range(1, 13)))
    [embed] = use(world, "escalation").embeds
    lines = embed.description.split("\n")
    assert len(lines) == 20
    assert lines[:2] == [f"🚀 {LADDER[0]} → **{LADDER[1]}** · turn 12 · just now", "-# reason 12"]
    assert "reason 2" not in embed.description.replace("reason 12", "")


def test_a_thread_without_escalations_says_so() -> None:
    [embed] = use(World(), "escalation").embeds
    assert embed.description == "No stronger model was needed in this thread."


def test_what_a_model_or_person_wrote_never_exceeds_a_card() -> None:
    world = World()
    run = world.working()
    long = "x" * 5000
    world.executions.update(EXECUTION, reached=replace(run, model=ModelName(long)), reasons=Reasons(long, long, long))
    world.sessions.update(THREAD, escalations=(_handed_on(world, long),), last_message=MessageId("1"))
    for command in ("status", "logs", "escalation"):
        [embed] = use(world, command).embeds
        assert all(len(field.value) <= 1024 for field in embed.fields)
        assert len(embed.description) <= 4096


def test_who_may_configure_the_bot_sees_in_the_status_where_its_execution_is_shown() -> None:
    world = World()
    world.working()
    link = f"[Open in Step Functions](https://console.test/sequential_thinking/{EXECUTION})"
    assert fields(use(world, "status", by=ADMIN))["Inside"] == link


@pytest.mark.parametrize("person", [PERSON, REQUESTER])
def test_nobody_else_learns_where_it_runs(person: Author) -> None:
    world = World()
    world.working()
    assert "Inside" not in fields(use(world, "status", by=person))


def test_where_nothing_ran_yet_there_is_nothing_to_open() -> None:
    assert "Inside" not in fields(use(World(), "status", by=ADMIN))
