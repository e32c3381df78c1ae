from copy import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from discord_agent.domain.budget import Payer, Period
from discord_agent.domain.controls import Action
from discord_agent.domain.conversation import Purpose
from discord_agent.domain.ids import ChannelId, MessageId, ThreadId, UserId, retry_of
from discord_agent.domain.inbound import Author, ButtonPressed, InboundMessage, Wakeup
from discord_agent.domain.money import Usd
from discord_agent.domain.policy import ADMINISTRATOR, GuildSettings, Limits, People, Permit
from discord_agent.domain.policy import Action as Deed
from discord_agent.domain.run import Next, Outcome, RunState, TurnStatus, Waiting
from discord_agent.domain.session import ExecutionStatus, InboxItem, ItemKind
from tests.support.fakes.effects import Death, Moments, die
from tests.support.fakes.models import finishes, says
from tests.support.fakes.world import ADA, BOB, CHANNEL, EXECUTION, GUILD, MESSAGE, THREAD, World

TOKEN = "token"
WHO = Payer(EXECUTION, ADA, GUILD)
_LONG = timedelta(minutes=2)
TOO_LITTLE = Limits(run=Usd(Decimal("0.001")))
"""Less than one call of a turn may cost."""


def _poor(limits: Limits = TOO_LITTLE, *permits: Permit) -> World:
    world = World()
    world.sessions.put_settings(GUILD, GuildSettings(limits=limits, permits=permits))
    world.plays(finishes())
    return world


def _parked(world: World) -> RunState:
    """A run that had no money for the first call of its turn, as it waits."""
    run = world.escalation()(world.turn()(world.working()))
    world.machines.waiting.add(TOKEN)
    world.clarify()(run, TOKEN)
    return run


def _press(world: World, *, by: UserId = BOB, permissions: int = 0) -> None:
    author = Author(by, "Somebody", permissions=permissions)
    message = MessageId("600000000000000009")
    press = ButtonPressed(
        "7", "interaction", "9", Action.EXTEND, EXECUTION, message, ChannelId(THREAD), GUILD, author, ""
    )
    world.intake()(press)


def _committed(world: World, period: Period = Period.RUN) -> Usd:
    account = next(account for account in world.budgets.accounts_of(WHO) if account.period is period)
    return world.budgets.balances([account])[0].committed


def _shown(world: World) -> list[str]:
    return [post.content for _, post, _ in world.discord.answers]


def test_a_run_without_money_for_its_next_turn_parks_and_asks_for_more() -> None:
    world = _poor()
    run = _parked(world)
    assert (run.next, run.waiting, run.turn, run.asked_for_money) == (Next.CLARIFY, Waiting.MONEY, 0, 1)
    assert not world.model.requests
    assert (world.row.status, world.row.waiting, world.row.needed) == (
        ExecutionStatus.PARKED,
        Waiting.MONEY,
        run.needed,
    )
    assert world.leases.holder(THREAD) is None
    [card] = [sent.post for sent in world.discord.sent.values() if sent.nonce == f"{EXECUTION}/money/1"]
    assert card.embeds[0].title == "💰 Budget Reached"
    assert card.embeds[0].description.startswith("The limit for this run is $0.0010; $0.0010 of it is left")
    assert [button.label for button in card.buttons[0]] == ["Extend", "Stop"]
    [row] = world.audit.of("budget_reached")
    assert row.execution_id == EXECUTION


def test_a_parked_run_goes_on_once_its_budget_is_extended() -> None:
    world = _poor()
    run = _parked(world)
    world.extend()(world.row, BOB)
    assert world.machines.answered == {TOKEN: {}}
    after = world.escalation()(world.turn()(run))
    assert (after.turn, after.outcome, after.waiting, after.status) == (
        1,
        Outcome.DONE,
        Waiting.ANSWER,
        TurnStatus.COMPLETE,
    )
    [row] = world.audit.of("budget_extended")
    assert (row.actor, row.details["limits"]) == (BOB, [Period.RUN])


def test_an_extension_is_enough_for_the_call_that_was_refused_whatever_the_limit() -> None:
    world = _poor()
    run = _parked(world)
    assert run.needed > Usd(Decimal("0.001"))
    world.extend()(world.row, BOB)
    assert _committed(world) == Usd() - run.needed


def test_every_limit_that_leaves_too_little_is_extended_and_no_other() -> None:
    world = _poor(Limits(run=Usd(Decimal(2)), user_day=Usd(Decimal("0.001")), guild_month=Usd(Decimal(50))))
    _parked(world)
    world.extend()(world.row, BOB)
    granted = {period: _committed(world, period) for period in Period if _committed(world, period) != Usd()}
    assert granted == {Period.USER_DAY: Usd(Decimal(-2))}


def test_an_extension_that_is_delivered_twice_counts_once() -> None:
    world = _poor()
    run = _parked(world)
    for _ in range(2):
        world.extend()(world.row, BOB)
    assert _committed(world) == Usd() - run.needed
    assert len(world.audit.of("budget_extended")) == 1


def test_an_extension_that_dies_anywhere_is_made_good_by_its_redelivery_and_counts_once() -> None:
    moments = Moments()
    world = _poor()
    _parked(world)
    with world.effects.watch(moments):
        world.extend()(world.row, BOB)
    for at in range(len(moments.seen)):
        world = _poor()
        run = _parked(world)
        with pytest.raises(Death), world.effects.watch(Moments(at, die)):
            world.extend()(world.row, BOB)
        world.clock.pass_by(_LONG)
        world.extend()(world.row, BOB)
        assert _committed(world) == Usd() - run.needed
        assert world.machines.answered == {TOKEN: {}}


def test_a_run_that_needs_more_again_asks_again_and_is_extended_again() -> None:
    world = _poor()
    run = _parked(world)
    world.extend()(world.row, BOB)
    # Somebody else's run of the same request takes the money first.
    accounts = world.budgets.accounts_of(WHO)
    world.budgets.extend(accounts[:1], Usd() - run.needed, grant="taken back")
    again = world.escalation()(world.turn()(run))
    world.machines.waiting.add("token 2")
    world.clarify()(again, "token 2")
    assert again.asked_for_money == 2
    assert [bool(world.discord.with_nonce(f"{EXECUTION}/money/{n}").post.buttons) for n in (1, 2)] == [False, True]
    world.extend()(world.row, BOB)
    assert world.machines.answered.keys() == {TOKEN, "token 2"}
    assert world.escalation()(world.turn()(again)).outcome is Outcome.DONE


@pytest.mark.parametrize("person", [ADA, BOB])
def test_who_may_not_spend_extends_nothing_even_if_the_run_is_theirs(person: UserId) -> None:
    world = _poor()
    _parked(world)
    _press(world, by=person)
    assert _shown(world) == ["Only administrators and those with a permit may extend a budget."]
    assert (world.machines.answered, world.row.status) == ({}, ExecutionStatus.PARKED)
    assert _committed(world) == Usd()


def test_an_administrator_extends_a_budget_by_the_button() -> None:
    world = _poor()
    _parked(world)
    _press(world, permissions=ADMINISTRATOR)
    assert (_shown(world), world.machines.answered) == (["The budget is extended."], {TOKEN: {}})


def test_a_permit_to_spend_is_enough() -> None:
    world = _poor(TOO_LITTLE, Permit(Deed.SPEND, People(users=(BOB,))))
    _parked(world)
    _press(world)
    assert world.machines.answered == {TOKEN: {}}


def test_what_people_write_does_not_wake_a_run_that_waits_for_money_but_is_heard_later() -> None:
    world = _poor()
    run = _parked(world)
    author = Author(ADA, "Ada", permissions=ADMINISTRATOR)
    text = "Please use bcrypt."
    later = MessageId(str(int(MESSAGE) + 1))
    world.intake()(InboundMessage(later, ChannelId(THREAD), GUILD, author, text, mentions_bot=True))
    assert (world.machines.answered, world.row.status) == ({}, ExecutionStatus.PARKED)
    world.extend()(world.row, BOB)
    world.turn()(run)
    assert text in str(world.model.requests[0].messages)


def test_a_stop_ends_a_run_that_waits_for_money() -> None:
    world = _poor()
    run = _parked(world)
    press = ButtonPressed(
        "7", "interaction", "9", Action.STOP, EXECUTION, MESSAGE, ChannelId(THREAD), GUILD, Author(ADA, "Ada"), ""
    )
    world.intake()(press)
    assert world.machines.answered == {TOKEN: {}}
    after = world.turn()(run)
    assert (after.outcome, world.model.requests) == (Outcome.STOPPED, [])


def _out_of_budget(world: World) -> RunState:
    """As the machine has it after a day in which nobody extended the budget."""
    run = replace(_parked(world), outcome=Outcome.OUT_OF_BUDGET)
    return world.finish()(world.reflect()(world.evaluate()(run)))


def test_a_run_whose_budget_nobody_extends_ends_with_a_way_on() -> None:
    world = _poor()
    _out_of_budget(world)
    assert (world.row.outcome, world.leases.holder(THREAD)) == (Outcome.OUT_OF_BUDGET, None)
    assert world.sessions.get(THREAD).parked is None
    ending = world.discord.with_nonce(f"{EXECUTION}/end/0").post
    assert ending.content.startswith("⚠️ **Not finished**: The limit for this run is $0.0010")
    assert "Extend" in [button.label for row in ending.buttons for button in row]
    assert not world.model.requests


def test_a_run_that_ended_for_want_of_money_starts_anew_for_its_requester_when_its_budget_is_extended() -> None:
    world = _poor()
    _out_of_budget(world)
    _press(world, permissions=ADMINISTRATOR)
    [(machine, execution)] = [key for key in world.machines.started if key[0] == "sequential_thinking"]
    again = world.executions.rows[execution]
    assert (machine, execution) == ("sequential_thinking", retry_of(EXECUTION))
    assert (again.author_id, again.waiting, again.needed) == (ADA, Waiting.ANSWER, Usd())
    assert world.audit.of("restarted")[0].actor == BOB


def test_an_answer_that_nobody_can_pay_for_ends_with_a_way_on() -> None:
    world = _poor(Limits(guild_day=Usd(Decimal("0.001"))))
    world.plays(says("Paris."), purpose=Purpose.RESPOND)
    after = world.respond()(world.requested())
    ending = world.discord.with_nonce(f"{EXECUTION}/end/0").post
    assert (after.outcome, world.row.outcome) == (Outcome.OUT_OF_BUDGET, Outcome.OUT_OF_BUDGET)
    assert "The limit for this server today is" in ending.content
    world.extend()(world.row, BOB)
    assert world.machines.started.keys() == {("sequential_thinking", retry_of(EXECUTION))}


def test_a_plan_that_nobody_can_pay_for_costs_the_plan_and_not_the_run() -> None:
    world = _poor(Limits(run=Usd(Decimal("0.00001"))))
    run = world.plan()(replace(world.working(), next=Next.PLAN))
    assert (run.next, world.audit.of("plan_failed")[0].details["reason"][:10]) == (Next.TURN, "OverBudget")
    assert not world.model.requests


def test_a_request_that_nobody_can_pay_to_classify_is_classified_by_rules() -> None:
    world = _poor(Limits(user_month=Usd()))
    item = InboxItem(
        ThreadId(CHANNEL), MESSAGE, ADA, "Ada", "implement a login", ItemKind.REQUEST, world.clock.now(), forced=True,
        guild_id=GUILD,
    )  # fmt: skip
    world.sessions.put(item)
    world.classify()(Wakeup(ThreadId(CHANNEL), ADA, MESSAGE))
    assert not world.model.requests
    assert world.audit.of("decision_failed")[0].details["reason"].startswith("OverBudget")
    assert len(world.machines.started) == 1


def test_a_budget_is_not_said_to_be_extended_for_a_try_that_has_ended_too() -> None:
    world = _poor()
    world.requested(thread_id=THREAD, outcome=Outcome.OUT_OF_BUDGET, needed=Usd(Decimal("0.01")))
    _press(world, permissions=ADMINISTRATOR)
    world.executions.rows[retry_of(EXECUTION)] = replace(
        world.executions.rows[retry_of(EXECUTION)], outcome=Outcome.OUT_OF_BUDGET
    )
    before = _committed(world)
    _press(world, permissions=ADMINISTRATOR)
    assert _shown(world) == ["The budget is extended.", "This was tried again already; go on from the newest message."]
    assert _committed(world) == before
    assert [row.kind for row in world.audit.rows].count("budget_extended") == 1
