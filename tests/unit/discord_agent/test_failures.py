import json
from copy import replace
from pathlib import Path
from typing import Any

import pytest

from discord_agent.adapters.codec import to_json
from discord_agent.adapters.discord.inbound import BotIdentity
from discord_agent.domain.errors import InvalidInput
from discord_agent.domain.ids import MessageId, UserId, decision_owner
from discord_agent.domain.run import Commit, Outcome, RunState, StepFailure
from discord_agent.failures import Failures
from tests.support.fakes.world import ADA, CHANNEL, EXECUTION, GUILD, MESSAGE, THREAD, World

BOT = BotIdentity(UserId("600000000000000006"), "nepnep")
SAMPLES = Path(__file__).resolve().parents[3] / "events" / "fail"


def _failures(world: World) -> Failures:
    return Failures(world.fail(), BOT)


def _told(world: World) -> list[str]:
    return [sent.post.content for sent in world.discord.sent.values() if sent.nonce != f"{EXECUTION}/card"]


def _status_change(run: Any, status: str, *, name: str = EXECUTION, **details: str) -> dict[str, Any]:
    return {
        "detail-type": "Step Functions Execution Status Change",
        "detail": {"name": name, "status": status, "input": json.dumps(run), **details},
    }


def _dead(*bodies: object) -> dict[str, Any]:
    return {"Records": [{"body": body if isinstance(body, str) else json.dumps(body)} for body in bodies]}


def _message(content: str) -> dict[str, Any]:
    data = {
        "id": MESSAGE, "channel_id": CHANNEL, "guild_id": GUILD, "content": content, "type": 0,
        "author": {"id": ADA, "username": "ada"}, "mentions": [], "timestamp": "2026-11-22T18:00:00+00:00",
    }  # fmt: skip
    return {"v": 1, "kind": "dispatch", "event": "MESSAGE_CREATE", "data": data, "received_at": "2026-11-22T18:00:00Z"}


def test_what_a_machine_caught_ends_the_run() -> None:
    world = World()
    run = world.working(turn=1, failure=StepFailure("ModelRefused"))
    _failures(world)(to_json(run))
    [text] = _told(world)
    assert "refused the request" in text
    assert world.leases.holder(THREAD) is None


@pytest.mark.parametrize("error", ["", "Whatever.ThePersonSaid"])
@pytest.mark.parametrize(("status", "said"), [("TIMED_OUT", "took too long"), ("ABORTED", "stopped from outside")])
def test_an_execution_that_ended_without_its_catcher_ends_the_run(status: str, said: str, error: str) -> None:
    world = World()
    began = to_json(world.requested())
    world.working()
    _failures(world)(_status_change(began, status, error=error))
    [text] = _told(world)
    assert said in text
    assert world.leases.holder(THREAD) is None


def test_the_status_of_an_execution_whose_catcher_was_there_adds_nothing() -> None:
    world = World()
    run = world.working(turn=1, failure=StepFailure("ModelRefused"))
    _failures(world)(to_json(run))
    _failures(world)(_status_change(to_json(run), "FAILED", error="ModelRefused"))
    assert len(_told(world)) == 1


def _committed(world: World) -> RunState:
    base = world.repositories.begin({"a": b"1"})
    commit = Commit(base, "token-login", "Add", ("auth.py",), base)
    return world.working(turn=2, outcome=Outcome.DONE, commit=commit, failure=StepFailure("RepositoryRefused"))


def test_a_finish_that_failed_is_no_failed_decision() -> None:
    world = World()
    _failures(world)(to_json(_committed(world)))
    [text] = _told(world)
    assert "Failed" in text
    assert world.row.terminal_message_id is not None


def test_a_decision_that_failed_is_told_once_by_catcher_and_status() -> None:
    world = World()
    run = _committed(world)
    world.executions.end(EXECUTION, Outcome.DONE)
    world.executions.ended(EXECUTION, MessageId("1"))
    _failures(world)(to_json(run))
    started_with = {"run": to_json(replace(run, failure=None)), "message_id": "1"}
    _failures(world)(_status_change(started_with, "FAILED", name=decision_owner(EXECUTION)))
    [text] = _told(world)
    assert "could not be carried out" in text


def test_dead_letters_are_told_one_by_one() -> None:
    world = World()
    _failures(world)(_dead(_message(f"<@{BOT.id}> hello"), _message("not for the bot")))
    [text] = _told(world)
    assert "could not process this message" in text


def test_a_dead_wakeup_is_told_to_its_author() -> None:
    world = World()
    _failures(world)(_dead({"thread_id": CHANNEL, "author_id": ADA, "message_id": MESSAGE}))
    assert len(world.audit.of("wakeup_failed")) == 1


@pytest.mark.parametrize("poison", ["{not json", "[]", "null", '{"v": 1}', '{"event": "MESSAGE_CREATE", "data": 5}'])
def test_a_dead_letter_that_nobody_can_read_is_recorded_and_not_kept(poison: str) -> None:
    world = World()
    _failures(world)(_dead(poison, _message(f"<@{BOT.id}> hello")))
    assert len(world.audit.of("event_failed")) == 1
    assert len(_told(world)) == 1


def test_an_event_of_no_known_kind_is_refused() -> None:
    with pytest.raises(InvalidInput):
        _failures(World())({"hello": "world"})


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_the_sample_events_are_of_known_kinds(sample: Path) -> None:
    event = json.loads(sample.read_text(encoding="utf-8"))
    world = World()
    for channel in ("1290000000000001000", "1290000000000000010"):
        world.discord.channels[channel] = world.discord.channels[CHANNEL]
    _failures(world)(event)
    assert world.audit.rows
