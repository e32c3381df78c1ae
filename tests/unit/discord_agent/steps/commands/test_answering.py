from datetime import timedelta

import pytest

from discord_agent.domain.commands import COMMANDS
from discord_agent.domain.errors import DiscordRefused, DiscordUnavailable
from discord_agent.domain.run import Outcome
from tests.support.commands import REQUESTER, use
from tests.support.fakes.world import EXECUTION, THREAD, World


def test_every_declared_command_has_a_use_case() -> None:
    assert set(World().use_cases()) == {command.name for command in COMMANDS}


def test_a_command_whose_person_has_waited_too_long_is_given_up() -> None:
    world = World()
    world.discord.failures["fulfil"] = lambda: DiscordRefused("Invalid Webhook Token", status=401, code=50027)
    with pytest.raises(KeyError):  # nothing was shown
        use(world, "status")
    assert [entry.details["command"] for entry in world.audit.of("command")] == ["status"]


def test_a_refusal_for_another_reason_is_not_hidden() -> None:
    world = World()
    world.discord.failures["fulfil"] = lambda: DiscordRefused("Invalid Form Body", status=400, code=50035)
    with pytest.raises(DiscordRefused):
        use(world, "status")


def test_an_outage_is_left_to_the_queue() -> None:
    world = World()
    world.discord.failures["fulfil"] = DiscordUnavailable
    with pytest.raises(DiscordUnavailable):
        use(world, "status")


def test_the_run_at_work_is_stopped_and_the_person_is_told() -> None:
    world = World()
    world.working()
    assert use(world, "stop", by=REQUESTER).content == "⏹️ Stopping the run; what it did so far is kept."
    assert world.executions.stop_requested(EXECUTION)


def test_a_failed_run_is_taken_up_again_once() -> None:
    world = World()
    world.working()
    world.executions.end(EXECUTION, Outcome.FAILED)
    world.leases.release(THREAD, EXECUTION)
    for _ in range(2):
        assert use(world, "retry").content == "🔄 Taking it up again."
    assert [execution for _, execution in world.machines.started] == [f"{EXECUTION}-r1"]


def test_going_back_to_a_turn_that_was_never_made_is_refused() -> None:
    world = World()
    world.working()
    world.executions.end(EXECUTION, Outcome.STOPPED)
    world.leases.release(THREAD, EXECUTION)
    world.clock.pass_by(timedelta(minutes=1))
    assert use(world, "rewind", turn="3").content == "This run has no turn 3."
