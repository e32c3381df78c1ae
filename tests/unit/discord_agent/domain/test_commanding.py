from copy import replace
from datetime import UTC, datetime, timedelta

import pytest

from discord_agent.domain import commands
from discord_agent.domain.actions import Invoke, Refuse, Restart, Rewind, Situation, Stop
from discord_agent.domain.classification import Classification, FlowType
from discord_agent.domain.ids import ChannelId, ExecutionId, GuildId, MessageId, ThreadId, UserId
from discord_agent.domain.inbound import Author, CommandInvoked
from discord_agent.domain.intake import decide
from discord_agent.domain.policy import ADMINISTRATOR, MANAGE_MESSAGES, GuildSettings, People, Place
from discord_agent.domain.run import Outcome
from discord_agent.domain.session import ExecutionRecord

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
THREAD, GUILD = ChannelId("50"), GuildId("30")
ANN, BOB = Author(UserId("2"), "ann"), Author(UserId("3"), "bob")
ADMIN = Author(UserId("4"), "admin", permissions=ADMINISTRATOR)
PLACE = Place(THREAD, GUILD, ChannelId("40"), is_thread=True, joined=True)
RUN = ExecutionRecord(
    ExecutionId("m-100"), ThreadId(THREAD), THREAD, MessageId("100"), ANN.id, "ann", FlowType.SEQUENTIAL, "fix", NOW,
    classification=Classification(should_respond=True, reason=""), turns=7,
)  # fmt: skip
FAILED = replace(RUN, outcome=Outcome.FAILED, completed_at=NOW)
QUIET = Situation(UserId("1"), GuildSettings(), PLACE, NOW, timedelta(minutes=30), timedelta(seconds=2))
AT_WORK = replace(QUIET, running=RUN, concerned=RUN)
ENDED = replace(QUIET, concerned=FAILED)


def _used(name: str, by: Author = ANN, **options: str) -> CommandInvoked:
    return CommandInvoked("9", "token", "2", name, tuple(options.items()), THREAD, GUILD, by)


def _invoke(name: str, **options: str) -> Invoke:
    command = commands.find(name)
    assert command is not None
    return Invoke(commands.read(command, _used(name, ANN, **options)), PLACE)


def test_a_command_that_is_not_known_any_more_is_refused() -> None:
    assert decide(_used("nonsense"), QUIET) == (Refuse("I do not know the command /nonsense."),)


def test_a_command_goes_to_its_use_case_with_its_values() -> None:
    assert decide(_used("logs", count="3"), QUIET) == (_invoke("logs", count="3"),)


def test_bad_values_are_told_to_the_person() -> None:
    assert decide(_used("logs", count="99"), QUIET) == (Refuse("`count` lies between 1 and 20."),)


@pytest.mark.parametrize("command", [command.name for command in commands.COMMANDS])
def test_whoever_is_blocked_may_use_no_command(command: str) -> None:
    situation = replace(AT_WORK, settings=GuildSettings(blocked=People(users=(BOB.id,))))
    assert decide(_used(command, by=BOB), situation) == (Refuse("You are blocked from using this bot here."),)


@pytest.mark.parametrize(
    "command",
    ["workspace clean", "workspace restore", "budget limit", "settings reading", "settings permit", "settings revoke"],
)
def test_settings_and_cleaning_are_for_administrators(command: str) -> None:
    sentence = "Only administrators and those with a permit may change settings."
    assert decide(_used(command), QUIET) == (Refuse(sentence),)
    assert decide(_used(command, by=ADMIN), QUIET) != (Refuse(sentence),)


def test_the_flow_breakglass_needs_its_own_right() -> None:
    refused = Refuse("Only administrators and those with a permit may use breakglass.")
    member = replace(ANN, permissions=MANAGE_MESSAGES)
    assert decide(_used("flow", type="breakglass", by=member), QUIET) == (refused,)
    assert decide(_used("flow", type="breakglass", by=ADMIN), QUIET) == (_invoke("flow", type="breakglass"),)
    assert decide(_used("flow", type="branch"), QUIET) == (_invoke("flow", type="branch"),)


def test_the_run_at_work_is_stopped_by_those_who_may() -> None:
    assert decide(_used("stop"), AT_WORK) == (_invoke("stop"), Stop(RUN.execution_id))
    [refused] = decide(_used("stop", by=BOB), AT_WORK)
    assert isinstance(refused, Refuse)


@pytest.mark.parametrize(("command", "situation"), [("stop", ENDED), ("retry", QUIET), ("rewind", QUIET)])
def test_without_a_run_there_is_nothing_to_control(command: str, situation: Situation) -> None:
    assert decide(_used(command), situation) == (Refuse("There is no run in this thread that this could be about."),)


def test_the_newest_run_is_taken_up_again() -> None:
    assert decide(_used("retry"), ENDED) == (_invoke("retry"), Restart(RUN.execution_id))


def test_the_newest_run_is_taken_back_to_a_turn_it_made() -> None:
    assert decide(_used("rewind", turn="4"), ENDED) == (_invoke("rewind", turn="4"), Rewind(RUN.execution_id, 4))
    assert decide(_used("rewind", turn="9"), ENDED) == (Refuse("This run has no turn 9."),)


def test_a_run_at_work_is_not_taken_back() -> None:
    [refused] = decide(_used("rewind", turn="4"), AT_WORK)
    assert isinstance(refused, Refuse)
