from copy import replace

import pytest

from discord_agent.domain.classification import FlowType, TaskType
from discord_agent.domain.conversation import Purpose
from discord_agent.domain.errors import ModelRefused, ModelUnavailable
from discord_agent.domain.ids import MessageId, ThreadId, UserId
from discord_agent.domain.inbound import Attachment, Wakeup
from discord_agent.domain.run import RunState
from discord_agent.domain.session import FlowOverride, InboxItem, ItemKind, Reasons
from tests.support.fakes.effects import Death, Moments, die
from tests.support.fakes.models import LADDER, PRICE, answers, says
from tests.support.fakes.world import ADA, BOB, CHANNEL, EXECUTION, GUILD, MESSAGE, World

HERE = ThreadId(CHANNEL)
"""Where people ask: no thread is opened before the run is prepared."""
EARLIER = MessageId("299999999999999999")
A_TASK = {"should_respond": True, "reason": "a task", "is_technical": True, "task_type": "coding-implementation"}
NOT_FOR_US = {"should_respond": False, "reason": "people talk among themselves"}
STARTED = ("sequential_thinking", EXECUTION)


def _asks(
    world: World,
    text: str,
    *,
    message: MessageId = MESSAGE,
    by: UserId = ADA,
    forced: bool = True,
    breakglass: bool = False,
) -> Wakeup:
    item = InboxItem(HERE, message, by, "Ada", text, ItemKind.REQUEST, world.clock.now(), forced=forced, guild_id=GUILD)
    world.sessions.put(replace(item, breakglass=breakglass))
    return Wakeup(HERE, by, message)


def _decides(world: World, **decision: object) -> None:
    world.plays(answers(**decision), purpose=Purpose.DECIDE)


def test_what_an_author_wrote_in_a_row_becomes_one_request() -> None:
    world = World()
    _decides(world, **A_TASK)
    file = Attachment("7", "notes.md", "https://cdn.example/7", 10)
    _asks(world, "Add a login", message=EARLIER)
    world.sessions.inbox[HERE, EARLIER] = replace(world.sessions.inbox[HERE, EARLIER], attachments=(file,))
    wakeup = _asks(world, "with a token")

    world.classify()(wakeup)

    assert (world.row.request, world.row.attachments) == ("Add a login\nwith a token", (file,))
    assert (world.row.flow, world.row.cost) == (FlowType.SEQUENTIAL, PRICE)
    run = world.machines.started[STARTED]
    assert isinstance(run, RunState)
    assert (run.message_id, run.author_id, run.task_type, run.cost) == (MESSAGE, ADA, TaskType.CODING, PRICE)
    assert world.sessions.waiting(HERE, ItemKind.REQUEST) == ()


def test_a_wake_up_for_an_older_message_leaves_the_request_to_the_newest_one() -> None:
    world = World()
    older = _asks(world, "Add a login", message=EARLIER)
    _asks(world, "with a token")
    world.classify()(older)
    assert not world.machines.started
    assert len(world.sessions.waiting(HERE, ItemKind.REQUEST)) == 2


def test_another_authors_messages_keep_waiting_for_their_own_wake_up() -> None:
    world = World()
    _decides(world, **A_TASK)
    _asks(world, "What about tests?", message=EARLIER, by=BOB)
    world.classify()(_asks(world, "Add a login"))
    assert world.row.request == "Add a login"
    assert [item.author_id for item in world.sessions.waiting(HERE, ItemKind.REQUEST)] == [BOB]


def test_a_message_that_was_deleted_in_the_meantime_starts_nothing() -> None:
    world = World()
    wakeup = _asks(world, "Add a login")
    world.sessions.drop(HERE, MESSAGE)
    world.classify()(wakeup)
    assert not world.executions.rows


def test_talk_that_is_not_for_the_bot_is_left_alone_and_noted_with_its_cost() -> None:
    world = World()
    _decides(world, **NOT_FOR_US)
    world.classify()(_asks(world, "lunch?", forced=False))
    assert not world.machines.started
    [row] = world.audit.of("ignored")
    assert (row.cost, row.details) == (PRICE, {"reason": NOT_FOR_US["reason"]})
    assert world.sessions.waiting(HERE, ItemKind.REQUEST) == ()


def test_whoever_addresses_the_bot_gets_an_answer_whatever_the_model_thinks() -> None:
    world = World()
    _decides(world, **NOT_FOR_US)
    world.classify()(_asks(world, "lunch?"))
    assert ("simple", EXECUTION) in world.machines.started


@pytest.mark.parametrize("fault", [ModelUnavailable("no answer"), ModelRefused("400")])
def test_without_the_model_rules_decide_and_it_is_noted(fault: Exception) -> None:
    world = World()
    world.model.faults[Purpose.DECIDE] = [fault]
    world.classify()(_asks(world, "Fix the login"))
    assert STARTED in world.machines.started
    [row] = world.audit.of("decision_failed")
    assert type(fault).__name__ in row.details["reason"]


def test_a_model_that_never_answers_in_shape_is_replaced_by_rules() -> None:
    world = World()
    world.plays(says("sure"), says("of course"), purpose=Purpose.DECIDE)
    world.classify()(_asks(world, "Fix the login"))
    assert STARTED in world.machines.started
    assert len(world.audit.of("decision_failed")) == 1


def test_wherever_it_dies_the_next_attempt_starts_exactly_one_run() -> None:
    def scene() -> tuple[World, Wakeup]:
        world = World()
        world.plays(*(answers(**A_TASK) for _ in range(2)), purpose=Purpose.DECIDE)
        return world, _asks(world, "Fix the login")

    world, wakeup = scene()
    with world.effects.watch(moments := Moments()):
        world.classify()(wakeup)
    assert moments.seen
    for at in range(len(moments.seen)):
        world, wakeup = scene()
        with pytest.raises(Death), world.effects.watch(Moments(at, die)):
            world.classify()(wakeup)
        world.classify()(wakeup)
        assert list(world.machines.started) == [STARTED], moments.seen[at]
        assert list(world.executions.rows) == [EXECUTION], moments.seen[at]
        assert world.sessions.waiting(HERE, ItemKind.REQUEST) == (), moments.seen[at]


def test_a_decision_with_unknown_values_is_set_right_and_the_audit_trail_says_why() -> None:
    world = World()
    _decides(world, should_respond=True, task_type="sorcery", agent_role="wizard")
    world.classify()(_asks(world, "Brew a potion"))
    [row] = world.audit.of("decision_adjusted")
    assert [reason.split(" is unknown")[0] for reason in row.details["reasons"]] == [
        "task_type: 'sorcery'",
        "agent_role: 'wizard'",
    ]


def test_a_wish_for_options_takes_the_flow_that_weighs_them() -> None:
    world = World()
    _decides(world, **A_TASK)
    world.classify()(_asks(world, "What are the pros and cons of tokens?"))
    assert ("branch", EXECUTION) in world.machines.started
    assert world.row.reasons == Reasons("“pros and cons” asks for options", "a task", "tier3 weighs options")


def test_the_decision_model_notices_a_wish_for_options_without_the_usual_words() -> None:
    world = World()
    _decides(world, **A_TASK, wants_options=True)
    world.classify()(_asks(world, "Tokens, cookies or what? Think deeply."))
    assert ("branch", EXECUTION) in world.machines.started
    assert world.row.reasons.model == "tier4 weighs options"


def test_it_is_kept_why_a_run_took_its_flow_role_and_model() -> None:
    world = World()
    _decides(world, **A_TASK, agent_role="dba")
    world.classify()(_asks(world, "Add a login"))
    assert world.row.reasons == Reasons(
        "coding-implementation needs an agent with tools", "a task", f"{LADDER[0]} is the model of a dba"
    )


def test_a_chosen_flow_holds_for_the_persons_next_message_only() -> None:
    world = World()
    world.sessions.update(HERE, flow_override=FlowOverride(FlowType.BRANCH, ADA))
    _decides(world, **NOT_FOR_US)
    world.classify()(_asks(world, "lunch?", forced=False))
    assert ("branch", EXECUTION) in world.machines.started
    assert world.row.reasons.flow == "it was chosen with /flow"
    assert world.sessions.get(HERE).flow_override is None


def test_a_flow_that_somebody_else_chose_is_left_for_them() -> None:
    world = World()
    chosen = FlowOverride(FlowType.BREAKGLASS, BOB)
    world.sessions.update(HERE, flow_override=chosen)
    _decides(world, **A_TASK)
    world.classify()(_asks(world, "Add a login"))
    assert STARTED in world.machines.started
    assert world.sessions.get(HERE).flow_override == chosen


def test_a_named_model_is_asked_without_a_decision() -> None:
    world = World()
    world.classify()(_asks(world, "@Opus why?", breakglass=True))
    assert ("breakglass", EXECUTION) in world.machines.started
    assert (world.row.alias, world.row.request, world.row.flow) == ("opus", "why?", FlowType.BREAKGLASS)
    assert world.row.reasons.model == f"@opus stands for {LADDER[-1]}"
    assert not world.model.requests


def test_what_was_written_before_and_after_a_models_name_is_asked_with_it() -> None:
    world = World()
    _asks(world, "It is down.", message=EARLIER)
    world.classify()(_asks(world, "@opus why?", breakglass=True))
    assert world.row.request == "It is down.\nwhy?"


def test_a_message_that_was_edited_into_naming_a_model_is_refused_where_people_see_it() -> None:
    world = World()
    world.classify()(_asks(world, "@opus why?"))
    assert not world.executions.rows
    assert not world.model.requests
    [sent] = world.discord.sent.values()
    assert "write it anew" in sent.post.content
    assert sent.post.reply_to == MESSAGE
    assert world.audit.of("refused")[0].actor == ADA
    assert world.sessions.waiting(HERE, ItemKind.REQUEST) == ()


def test_a_name_that_is_nearly_one_gets_its_answer_from_the_flow_that_knows_the_names() -> None:
    world = World()
    world.classify()(_asks(world, "@opsu why?"))
    assert (world.row.flow, world.row.alias) == (FlowType.BREAKGLASS, "opsu")


def test_where_the_flow_was_chosen_but_no_model_the_default_one_answers() -> None:
    world = World()
    world.sessions.update(HERE, flow_override=FlowOverride(FlowType.BREAKGLASS, ADA))
    world.classify()(_asks(world, "why?"))
    assert (world.row.flow, world.row.alias, world.row.request) == (FlowType.BREAKGLASS, "default", "why?")
    assert world.row.reasons.flow == "it was chosen with /flow"
