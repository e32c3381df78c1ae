import pytest

from discord_agent.domain.conversation import Purpose
from discord_agent.domain.errors import DiscordRefused, LeaseLost, ModelUnavailable, OverBudget
from discord_agent.domain.ids import ChannelId, MessageId, ThreadId
from discord_agent.domain.inbound import Author, InboundMessage
from tests.support.fakes.models import says
from tests.support.fakes.world import BOB, CHANNEL, EXECUTION, MESSAGE, THREAD, World


def _world(count: int) -> World:
    world = World()
    world.working()
    _talk(world, 1, count)
    return world


def _talk(world: World, first: int, last: int) -> None:
    said = tuple(
        InboundMessage(
            MessageId(f"3100000000000{number:05}"), ChannelId(THREAD), None, Author(BOB, "Bob"), f"Point {number}"
        )
        for number in range(first, last + 1)
    )
    world.discord.past[THREAD] = (*world.discord.past.get(THREAD, ()), *said)


def _whole(world: World) -> tuple[str, ...]:
    return world.recall().whole(THREAD, without=MESSAGE, purse=world.model, execution=EXECUTION)


def test_a_short_thread_is_shown_whole_however_old_it_is() -> None:
    world = _world(70)
    assert _whole(world) == tuple(f"Bob: Point {number}" for number in range(1, 71))
    assert world.model.requests == []


def test_the_older_part_of_a_long_thread_is_summed_up_and_kept() -> None:
    world = _world(120)
    world.plays(says("- Points 1 to 70."), purpose=Purpose.SUMMARIZE)
    lines = _whole(world)
    assert lines[0] == "(what was said before, summed up)\n  - Points 1 to 70."
    assert lines[1:] == tuple(f"Bob: Point {number}" for number in range(71, 121))
    assert world.prompts.values_of("summarize_request")["history"][-1] == "Bob: Point 70"
    session = world.sessions.get(THREAD)
    assert (session.summary, session.summarized_through) == ("- Points 1 to 70.", "310000000000000070")


def test_what_was_summed_up_is_not_read_again() -> None:
    world = _world(120)
    world.plays(says("- Points 1 to 70."), purpose=Purpose.SUMMARIZE)
    first = _whole(world)
    assert _whole(world) == first
    assert len(world.model.requests) == 1


def test_a_summary_grows_with_the_thread() -> None:
    world = _world(120)
    world.plays(says("- Points 1 to 70."), says("- Points 1 to 120."), purpose=Purpose.SUMMARIZE)
    _whole(world)
    _talk(world, 121, 170)
    lines = _whole(world)
    assert world.prompts.values_of("summarize_request")["summary"] == "- Points 1 to 70."
    assert lines[0].endswith("- Points 1 to 120.")
    assert lines[1] == "Bob: Point 121"


def test_a_thread_longer_than_the_summarising_model_reads_is_summed_up_in_steps() -> None:
    world = _world(900)
    world.models.contexts = {world.models.for_purpose(Purpose.SUMMARIZE): 8000}
    world.plays(says("- One."), says("- Two."), purpose=Purpose.SUMMARIZE)
    assert _whole(world)[0].endswith("- Two.")
    assert len(world.model.requests) == 2


@pytest.mark.parametrize("fault", [ModelUnavailable("down"), OverBudget("the day's limit is reached")])
def test_without_model_or_money_the_newest_part_is_shown_and_the_gap_told(fault: Exception) -> None:
    world = _world(120)
    world.model.faults[Purpose.SUMMARIZE].append(fault)
    lines = _whole(world)
    assert lines[:2] == ("(70 earlier messages are not shown)", "Bob: Point 71")
    assert world.sessions.get(THREAD).summary == ""
    [row] = world.audit.of("summary_failed")
    assert str(fault) in row.details["reason"]


def test_a_history_that_discord_refuses_costs_only_the_history() -> None:
    world = _world(10)
    world.discord.failures["history"] = lambda: DiscordRefused("Missing Access", status=403)
    assert _whole(world) == ()
    assert len(world.audit.of("history_unavailable")) == 1


def test_the_request_itself_is_no_part_of_what_came_before() -> None:
    world = _world(3)
    newest = world.discord.past[THREAD][-1].id
    assert world.recall().whole(THREAD, without=newest, purse=world.model) == ("Bob: Point 1", "Bob: Point 2")


def test_a_glance_uses_the_summary_there_is_and_asks_no_model() -> None:
    world = _world(120)
    world.sessions.update(THREAD, summary="- Points.", summarized_through=world.discord.past[THREAD][9].id)
    lines = world.recall().glance(THREAD, without=MESSAGE)
    assert lines[0].endswith("- Points.")
    assert lines[1:] == tuple(f"Bob: Point {number}" for number in range(71, 121))
    assert world.model.requests == []


def test_a_summary_holds_no_secrets() -> None:
    world = _world(120)
    secret = "ghp_" + "a1B2" * 9
    world.plays(says(f"- The key is {secret}."), purpose=Purpose.SUMMARIZE)
    assert secret not in _whole(world)[0]


def test_an_attempt_that_lost_the_thread_keeps_no_summary() -> None:
    world = _world(120)
    world.plays(says("- Points."), purpose=Purpose.SUMMARIZE)
    old = world.leases.renew(THREAD, EXECUTION)
    world.leases.renew(THREAD, EXECUTION)
    with pytest.raises(LeaseLost):
        world.recall().whole(THREAD, without=MESSAGE, purse=world.model, lease=old)
    assert world.sessions.get(THREAD).summary == ""


def test_a_glance_at_a_channel_shows_the_last_half_hour() -> None:
    world = World()
    old, recent = (
        InboundMessage(MessageId(message), CHANNEL, None, Author(BOB, "Bob"), text)
        for message, text in (("200000000000000000", "Long ago"), ("299999999999999999", "Just now"))
    )
    world.discord.past[CHANNEL] = (old, recent)
    thread = ThreadId(CHANNEL)
    assert world.recall().glance(thread, without=MESSAGE) == ("Bob: Just now",)
    assert world.recall().glance(thread, without=MESSAGE, direct=True) == ("Bob: Long ago", "Bob: Just now")
