"""The live card: how often it is edited, also across steps."""

from copy import replace
from datetime import timedelta

from discord_agent.domain.policy import Verbosity
from discord_agent.domain.run import RunState
from discord_agent.steps.card import Card
from tests.support.fakes.world import World


def card(world: World, run: RunState) -> Card:
    return Card(world.discord, world.clock, run)


def edits(world: World) -> int:
    return sum(effect == "discord.edit" for effect in world.effects.names)


def test_lines_that_come_quickly_are_shown_by_one_edit() -> None:
    world = World()
    live = card(world, world.working())
    live.say("one")
    live.say("two")
    live.say("three")
    assert edits(world) == 1


def test_the_pause_between_edits_holds_from_one_step_to_the_next() -> None:
    world = World()
    run = world.working()
    first = card(world, run)
    first.say("one")
    second = card(world, first.keep(run))
    second.say("two")
    assert edits(world) == 1


def test_what_a_step_could_not_show_any_more_is_shown_by_the_next() -> None:
    world = World()
    run = world.working()
    first = card(world, run)
    first.say("one")
    first.say("two")
    kept = first.keep(run)
    world.clock.pass_by(timedelta(seconds=2))
    card(world, kept).refresh()
    assert edits(world) == 2
    assert kept.card_lines[-2:] == ("one", "two")


def test_a_clock_that_was_set_back_delays_an_edit_by_no_more_than_the_pause() -> None:
    world = World()
    run = world.working()
    ahead = replace(run, card_edited_at=world.clock.now() + timedelta(hours=1))
    live = card(world, ahead)
    live.say("one")
    world.clock.pass_by(timedelta(seconds=1.5))
    live.refresh()
    assert edits(world) == 1


def quiet(run: RunState) -> RunState:
    return replace(run, verbosity=Verbosity.QUIET)


def test_a_quiet_card_shows_milestones_and_neither_details_nor_what_is_being_written() -> None:
    world = World()
    live = card(world, quiet(world.working()))
    live.say("milestone")
    for _ in range(3):
        world.clock.pass_by(timedelta(seconds=2))
        live.detail("detail")
        live.stream("I am writing this ")
        live.refresh()
    [shown] = world.discord.edits()
    assert shown.embeds[0].description == "milestone"
    assert [field.name for field in shown.embeds[0].fields] == ["Turn", "Cost"]


def test_a_normal_card_shows_details_too() -> None:
    world = World()
    live = card(world, world.working())
    live.detail("detail")
    [shown] = world.discord.edits()
    assert shown.embeds[0].description == "detail"
    assert "Tokens" not in [field.name for field in shown.embeds[0].fields]


def test_a_verbose_card_shows_twice_the_lines_and_what_stands_behind_the_figures() -> None:
    world = World()
    live = card(world, replace(world.working(), verbosity=Verbosity.VERBOSE))
    live.detail(*(f"line {number}" for number in range(30)))
    [shown] = world.discord.edits()
    assert shown.embeds[0].description.split("\n") == [f"line {number}" for number in range(6, 30)]
    assert {"Tokens", "Tool calls", "Tests"} <= {field.name for field in shown.embeds[0].fields}
