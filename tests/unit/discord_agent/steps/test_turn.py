import itertools
from copy import replace
from datetime import timedelta

import pytest

from discord_agent.domain import events
from discord_agent.domain.conversation import Message, ModelRequest, Purpose, Role
from discord_agent.domain.errors import (
    DiscordUnavailable,
    InvalidEvent,
    LeaseLost,
    ModelUnavailable,
    SandboxUnavailable,
)
from discord_agent.domain.ids import ExecutionId, ModelName
from discord_agent.domain.run import Next, TurnStatus
from discord_agent.steps.turn import TurnLimits
from tests.support.fakes import workspace
from tests.support.fakes.models import PRICE, TOKENS, calls, finishes, says, writes
from tests.support.fakes.world import EXECUTION, OPENING, THREAD, World


def _of_role(messages: tuple[Message, ...], role: Role) -> list[str]:
    return [message.text for message in messages if message.role is role]


def test_a_turn_ends_when_the_model_finishes() -> None:
    world = World()
    run = world.working()
    world.plays(
        calls(writes("auth.py", "def login(token): ...")), finishes("Tokens work.", confidence=90, files=["auth.py"])
    )
    after = world.turn()(run)
    assert (after.status, after.outcome, after.turn, after.rounds) == (TurnStatus.COMPLETE, None, 1, 2)
    assert (after.summary, after.send_files, after.reported_confidence) == ("Tokens work.", ("auth.py",), 90)
    assert after.files_changed == ("auth.py",)
    assert world.workspaces.files(THREAD)["auth.py"] == b"def login(token): ..."
    assert after.usage == TOKENS + TOKENS
    assert after.cost == PRICE + PRICE


def test_what_was_done_is_saved_under_the_lease_for_the_next_turn() -> None:
    world = World()
    run = world.working()
    world.plays(calls(writes("auth.py", "new")), says("I will go on."))
    after = world.turn()(run)
    head = world.workspaces.heads[THREAD]
    assert after.manifest_id == head.manifest_id != run.manifest_id
    row = world.row
    assert (row.turns, row.manifest_id, row.usage, row.cost) == (1, head.manifest_id, after.usage, after.cost)
    assert world.messages[: len(OPENING)] == OPENING
    assert world.journal.contexts[EXECUTION].turn == 1


def test_a_turn_ends_when_the_model_asks_people() -> None:
    world = World()
    run = world.working()
    world.plays(calls(("ask_user", {"question": "Which key?", "options": ["old", "new"]})))
    after = world.turn()(run)
    assert after.status is TurnStatus.NEEDS_CLARIFICATION
    assert (after.question, after.options) == ("Which key?", ("old", "new"))


def test_a_turn_ends_when_the_model_reports_that_it_is_stuck() -> None:
    world = World()
    run = world.working()
    world.plays(calls(("report_stuck", {"reason": "no network"})))
    after = world.turn()(run)
    assert (after.status, after.question) == (TurnStatus.STUCK, "no network")
    assert after.signals.failures == 1


def test_a_tool_server_that_is_down_costs_one_note_and_not_the_run() -> None:
    world = World()
    run = world.working()
    world.toolbox.warnings = ("The tool server 'tracker' is not to be had: it cannot be reached.",)
    world.plays(says("Hm."), finishes())
    after = world.turn()(world.turn()(run))
    assert after.status is TurnStatus.COMPLETE
    notes = [entry.details["reason"] for entry in world.audit.rows if entry.kind == "tools_missing"]
    assert notes == list(world.toolbox.warnings)
    assert sum("tracker" in line for line in after.card_lines) == 1


def test_a_model_that_stands_in_for_another_is_named_once_on_the_card_and_in_every_round() -> None:
    world = World()
    run = world.working()
    replies = (calls(("read_file", {"path": "auth.py"})), finishes())
    world.plays(*(replace(reply, instead_of=ModelName("tiny")) for reply in replies))
    after = world.turn()(run)
    assert [entry.details["insteadOf"] for entry in world.audit.rows if entry.kind == "round"] == ["tiny", "tiny"]
    assert sum("tiny does not answer" in line for line in after.card_lines) == 1


def test_a_turn_ends_at_the_round_limit() -> None:
    world = World()
    run = world.working()
    world.plays(*[calls(("read_file", {"path": "auth.py"})) for _ in range(9)])
    after = world.turn(TurnLimits(rounds=3))(run)
    assert (after.status, after.rounds) == (TurnStatus.CONTINUE, 3)
    assert len(world.model.requests) == 3


def test_a_turn_ends_at_the_time_limit_once_the_round_is_over() -> None:
    world = World()
    run = world.working()
    world.plays(*[calls(("read_file", {"path": "auth.py"})) for _ in range(9)])
    world.model.during = lambda request: world.clock.pass_by(timedelta(seconds=40))
    after = world.turn(TurnLimits(rounds=9, seconds=100))(run)
    assert after.rounds == 3


def test_prose_without_tool_calls_ends_the_turn_and_the_model_is_told_how_to_go_on() -> None:
    world = World()
    run = world.working()
    world.plays(says("I think it is done."))
    after = world.turn()(run)
    assert (after.status, after.outcome) == (TurnStatus.CONTINUE, None)
    assert world.messages[-2:] == (Message(Role.ASSISTANT, "I think it is done."), Message(Role.USER, "[go_on] "))


def test_an_empty_reply_leaves_no_empty_message_for_the_provider() -> None:
    world = World()
    run = world.working()
    world.plays(says(""), finishes())
    after = world.turn()(run)
    world.turn()(after)
    assert all(message.text.strip() or message.tool_calls for message in world.model.requests[-1].messages)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("{not json", "not valid JSON"),
        ('["a list"]', "must be a JSON object"),
        ('{"summary": ""}', "non-empty string 'summary'"),
        ('{"summary": "ok", "files": "auth.py"}', "list of strings"),
    ],
)
def test_wrong_control_arguments_are_reported_back_and_the_turn_goes_on(arguments: str, complaint: str) -> None:
    world = World()
    run = world.working()
    world.plays(calls(("finish", arguments)), finishes("Now right."))
    after = world.turn()(run)
    assert (after.status, after.summary, after.rounds) == (TurnStatus.COMPLETE, "Now right.", 2)
    [complained] = [text for text in _of_role(world.messages, Role.TOOL) if text.startswith("Not accepted")]
    assert complaint in complained


@pytest.mark.parametrize(
    "outcome", [workspace.Outcome("boom", ok=False), workspace.Outcome("1 failed", facts={"exit_code": 1})]
)
def test_finishing_beside_a_call_that_failed_is_not_accepted(outcome: workspace.Outcome) -> None:
    world = World()
    run = world.working()
    world.toolbox.outcomes["bash"] = outcome
    world.plays(
        calls(("bash", {"command": "pytest"}), ("finish", {"summary": "Tests pass."})), finishes("They do now.")
    )
    after = world.turn()(run)
    assert (after.summary, after.rounds) == ("They do now.", 2)


def test_finishing_beside_calls_that_succeed_is_accepted() -> None:
    world = World()
    run = world.working()
    world.plays(calls(writes("auth.py", "new"), ("finish", {"summary": "Done."})))
    after = world.turn()(run)
    assert (after.status, after.rounds) == (TurnStatus.COMPLETE, 1)
    assert world.workspaces.files(THREAD)["auth.py"] == b"new"


def test_a_message_of_people_reaches_the_next_round_and_only_that() -> None:
    world = World()
    run = world.working()
    world.plays(calls(("read_file", {"path": "auth.py"})), calls(("read_file", {"path": "auth.py"})), finishes())
    world.toolbox.on_run = lambda: world.steer("Use RS256")
    world.turn()(run)
    heard = [
        [text for text in _of_role(request.messages, Role.USER) if "RS256" in text] for request in world.model.requests
    ]
    assert [len(texts) for texts in heard] == [0, 1, 1]
    assert sum("RS256" in message.text for message in world.messages) == 1
    assert world.sessions.inbox == {}


def test_a_finish_does_not_count_before_everything_people_said_is_heard() -> None:
    world = World()
    run = world.working()
    world.plays(finishes("Done."), finishes("Done, with RS256."))

    def say_something(request: ModelRequest) -> None:
        world.model.during = lambda request: None
        world.steer("Use RS256")

    world.model.during = say_something
    after = world.turn()(run)
    assert (after.summary, after.rounds) == ("Done, with RS256.", 2)


def test_calls_with_the_same_id_get_ids_of_their_own() -> None:
    world = World()
    run = world.working()
    world.plays(
        calls(("read_file", {"path": "a"}), ("read_file", {"path": "b"})),
        calls(("read_file", {"path": "c"})),
        finishes(),
    )
    world.turn()(run)
    asked = [call.id for message in world.messages for call in message.tool_calls]
    answered = [message.tool_call_id for message in world.messages if message.role is Role.TOOL]
    assert asked == answered == ["t1r0c0", "t1r0c1", "t1r1c0", "t1r2c0"]


def test_the_turns_of_a_run_share_one_growing_message_list() -> None:
    world = World()
    run = world.working()
    world.plays(calls(("read_file", {"path": "a"})), says("More to do."), finishes())
    after = world.turn()(world.turn()(run))
    assert after.turn == 2
    first, second, third = (request.messages for request in world.model.asked(Purpose.TURN))
    assert second[: len(first)] == first
    assert third[: len(second)] == second


def test_the_card_is_edited_at_most_every_one_and_a_half_seconds() -> None:
    world = World()
    run = world.working()
    world.plays(*[calls(("bash", {"command": f"step {number}"})) for number in range(5)])
    times: list[float] = []

    def watch(moment: str) -> None:
        if moment == "after discord.edit":
            times.append(world.clock.monotonic())

    world.model.during = lambda request: world.clock.pass_by(timedelta(seconds=0.4))
    with world.effects.watch(watch):
        after = world.turn()(run)
    assert len(times) > 1
    assert all(later - earlier >= 1.5 for earlier, later in itertools.pairwise(times))
    assert "step 4" in " ".join(after.card_lines)


def test_the_card_shows_a_command_while_it_still_runs() -> None:
    world = World()
    run = world.working()
    world.plays(calls(("bash", {"command": "sleep 60"})), finishes())
    world.toolbox.on_run = lambda: world.clock.pass_by(timedelta(seconds=2))
    shown: list[str] = []

    def watch(moment: str) -> None:
        if moment == "after toolbox.run":
            shown.append(str(world.discord.shown[-1]))

    with world.effects.watch(watch):
        world.turn()(run)
    assert "sleep 60" in shown[0]


def test_a_card_that_cannot_be_edited_never_fails_the_run() -> None:
    world = World()
    run = world.working()
    world.discord.failures["edit"] = lambda: DiscordUnavailable("503")
    world.plays(calls(("bash", {"command": "ls"})), finishes())
    assert world.turn()(run).status is TurnStatus.COMPLETE


def test_every_round_and_the_turn_are_in_the_audit_trail_and_the_turn_is_announced() -> None:
    world = World()
    run = world.working()
    world.toolbox.outcomes["bash"] = workspace.Outcome(
        "2 passed", facts={"tests": {"run": 2, "passed": 2}, "exit_code": 0}
    )
    world.plays(
        calls(writes("auth.py", "x"), ("bash", {"command": "pytest"}), text="Let me see."), finishes(confidence=80)
    )
    after = world.turn()(run)
    first, second = world.audit.of("round")
    assert (first.details["turn"], first.details["round"], first.cost) == (1, 1, PRICE)
    assert first.details["text"] == "Let me see."
    assert [call["tool"] for call in first.details["toolCalls"]] == ["write_file", "bash"]
    assert first.details["toolCalls"][1] == {
        "tool": "bash", "input": '{"command": "pytest"}', "output": "2 passed", "success": True, "durationMs": 5,
    }  # fmt: skip
    assert second.details["toolCalls"][0]["tool"] == "finish"
    [turn] = world.audit.of("turn")
    assert turn.details["confidence"] == after.confidence
    assert turn.details["fileChanges"] == ["auth.py"]
    assert turn.cost == PRICE + PRICE
    [event] = world.events.emitted
    assert event.type == events.TURN_COMPLETED
    assert event.details == {"turn": 1, "confidence": after.confidence, "status": TurnStatus.COMPLETE}
    assert (after.signals.tests_run, after.signals.tests_passed) == (2, 2)


def test_a_provider_that_does_not_answer_leaves_the_turn_to_a_retry() -> None:
    world = World()
    run = world.working()
    world.plays(calls(writes("auth.py", "new")), finishes())
    world.toolbox.on_run = lambda: world.model.faults[Purpose.TURN].append(ModelUnavailable("overloaded"))
    with pytest.raises(ModelUnavailable):
        world.turn()(run)
    world.toolbox.on_run = lambda: None
    after = world.turn()(run)
    assert (after.status, after.rounds) == (TurnStatus.COMPLETE, 2)
    assert len(world.toolbox.runs) == 1
    assert world.workspaces.files(THREAD)["auth.py"] == b"new"


def test_tools_that_the_sandbox_lost_are_reported_as_interrupted_not_run_again() -> None:
    world = World()
    run = world.working()
    world.plays(
        calls(writes("auth.py", "lost"), ("finish", {"summary": "Done."})), calls(writes("auth.py", "new")), finishes()
    )
    world.toolbox.faults.append(SandboxUnavailable("no answer"))
    with pytest.raises(SandboxUnavailable):
        world.turn()(run)
    after = world.turn()(run)
    assert after.rounds == 3
    interrupted, refused, *_ = _of_role(world.messages, Role.TOOL)
    assert interrupted.startswith("Interrupted")
    assert refused.startswith("Not accepted: write_file")
    assert [call.arguments for calls_ in world.toolbox.runs for call in calls_ if "lost" in call.arguments] != []
    assert len(world.toolbox.runs) == 2
    assert after.signals.failures == 0


def test_the_turn_after_a_parked_one_takes_a_new_lease_and_the_manifest_it_parked_on() -> None:
    world = World()
    run = world.working(next=Next.CLARIFY)
    world.sessions.update(THREAD, parked=EXECUTION)
    world.leases.release(THREAD, EXECUTION)
    world.steer("The new key")
    world.plays(finishes())
    after = world.turn()(run)
    assert world.leases.holder(THREAD) == EXECUTION
    assert world.sessions.get(THREAD).parked is None
    assert after.manifest_id == run.manifest_id
    assert any("The new key" in message.text for message in world.model.requests[0].messages)


def test_a_run_that_lost_its_lease_does_not_work() -> None:
    world = World()
    run = world.working()
    world.clock.pass_by(timedelta(hours=1))
    world.leases.acquire(THREAD, ExecutionId("m-1"))
    with pytest.raises(LeaseLost):
        world.turn()(run)
    assert world.model.requests == []


def test_a_turn_without_a_plan_or_a_workspace_cannot_begin() -> None:
    world = World()
    run = world.working()
    del world.journal.contexts[EXECUTION]
    with pytest.raises(InvalidEvent, match="no plan"):
        world.turn()(run)
    world = World()
    run = world.working()
    del world.workspaces.heads[THREAD]
    with pytest.raises(InvalidEvent, match="no workspace"):
        world.turn()(run)


def test_a_workspace_that_somebody_else_moved_ends_the_attempt() -> None:
    world = World()
    run = world.working()
    world.plays(calls(writes("auth.py", "mine")), finishes())

    def move() -> None:
        head = world.workspaces.heads[THREAD]
        other = world.workspaces.with_files(
            world.workspaces.manifests[THREAD, head.manifest_id], {"other.py": b"theirs"}
        )
        world.workspaces.save(THREAD, other, expected=head)

    world.toolbox.on_run = move
    with pytest.raises(LeaseLost):
        world.turn()(run)
    assert world.workspaces.files(THREAD)["other.py"] == b"theirs"
    assert world.journal.contexts[EXECUTION].turn == 0


def test_no_half_of_a_secret_remains_where_a_text_is_cut() -> None:
    token = f"ghp_{'Z' * 36}"
    world = World()
    run = world.working()
    world.toolbox.outcomes["bash"] = workspace.Outcome(f"{'x' * 480} {token}", ok=False)
    world.plays(
        calls(("bash", {"command": f"{'y' * 70} {token}"}), text=f"{'z' * 480} {token}"),
        finishes(f"Use {token}."),
    )
    after = world.turn()(run)
    shown = [str(sent.post) for sent in world.discord.sent.values()]
    told = [str(row.details) for row in world.audit.rows]
    assert after.summary == "Use [redacted]."
    assert "[redacted]" in after.signals.last_error
    assert not [text for text in (*shown, *told, *after.card_lines) if "ZZ" in text]
    assert any(token in str(message) for message in world.messages), "the model works with what is there"
