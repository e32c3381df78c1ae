"""The steps of the flow ``branch`` one after the other: the question, two voices, the options."""

from copy import replace
from typing import Any

import pytest

from discord_agent.domain import events
from discord_agent.domain.classification import FlowType
from discord_agent.domain.controls import Action, decode
from discord_agent.domain.conversation import Purpose
from discord_agent.domain.errors import (
    DiscordRefused,
    InvalidEvent,
    ModelRefused,
    ModelUnavailable,
    NoProposals,
    OverBudget,
)
from discord_agent.domain.ids import ModelName
from discord_agent.domain.posts import Post
from discord_agent.domain.run import Next, Outcome, RunState, StepFailure, Voice
from discord_agent.domain.session import ExecutionStatus
from tests.support.fakes.effects import Death, Moments, die
from tests.support.fakes.models import LADDER, PRICE, SCRIPTED, answers, says
from tests.support.fakes.world import BOB, CHANNEL, EXECUTION, MESSAGE, REQUEST, World

BRIEF = "Where should logins live?"
FAILED = StepFailure("ModelUnavailable", "503")


def approach(title: str, **changes: Any) -> dict[str, Any]:
    return {
        "title": title,
        "overview": f"{title} in short.",
        "rationale": "It is known.",
        "architecture": "One box.",
        "pros": ["fast", "cheap", "known"],
        "cons": ["old", "slow", "dear"],
        "best_for": "small teams",
        **changes,
    }


def framed(world: World, **changes: object) -> RunState:
    world.plays(answers(reformulated_prompt=BRIEF, topic_slug="login-sessions"), purpose=Purpose.PLAN)
    proposal = answers(approaches=[approach("Sessions"), approach("Tokens")])
    world.plays(proposal, proposal, proposal, proposal, purpose=Purpose.BRAINSTORM)
    merged = answers(
        options=[approach("Tokens"), approach("Sessions"), approach("Both")],
        recommendation="Tokens for many services.",
        question="Which one shall we explore?",
    )
    world.plays(merged, merged, merged, purpose=Purpose.CONSOLIDATE)
    return world.frame()(world.requested(flow=FlowType.BRANCH, **changes))


def heard(world: World, run: RunState) -> RunState:
    return replace(run, voices=tuple(world.brainstorm()(run, voice) for voice in run.voices))


def posts(world: World) -> list[Post]:
    return [sent.post for sent in world.discord.sent.values() if sent.channel == CHANNEL]


def cards(world: World) -> list[str]:
    return [post.embeds[0].description for post in posts(world) if post.embeds]


def test_two_models_of_a_tier_are_asked_with_a_card_each() -> None:
    world = World()
    run = framed(world)
    assert [(voice.number, voice.model) for voice in run.voices] == [(1, LADDER[-2]), (2, LADDER[-1])]
    assert (run.model, run.topic) == (LADDER[-1], "login-sessions")
    assert [post.embeds[0].title for post in posts(world)] == ["💡 Branching", "💡 Branching"]
    assert [decode(post.buttons[0][0].custom_id).action for post in posts(world)] == [Action.STOP, Action.STOP]
    assert (world.row.brief, world.row.status) == (BRIEF, ExecutionStatus.PROCESSING)
    assert world.row.card_message_id == run.voices[0].card_message_id
    assert world.events.types() == [events.EXECUTION_STARTED]


@pytest.mark.parametrize(
    ("request_text", "stronger", "tier"),
    [("Which approach?", False, "tier3"), ("Think deeply: which approach?", False, "tier4"), ("Again.", True, "tier4")],
)
def test_the_strongest_models_are_asked_where_people_want_that(request_text: str, stronger: bool, tier: str) -> None:
    world = World()
    world.models.tiers = {"tier3": LADDER[:2], "tier4": LADDER[1:]}
    run = world.requested(flow=FlowType.BRANCH, request=request_text)
    world.plays(answers(), purpose=Purpose.PLAN)
    framed_run = world.frame()(replace(run, wants_stronger=stronger))
    assert tuple(voice.model for voice in framed_run.voices) == world.models.tiers[tier]


@pytest.mark.parametrize("fault", [ModelUnavailable("503"), ModelRefused("400"), OverBudget("no money")])
def test_without_the_planner_the_question_is_what_the_person_wrote(fault: Exception) -> None:
    world = World()
    world.model.faults[Purpose.PLAN] = [fault]
    run = framed(world)
    assert world.row.brief == REQUEST
    assert len(run.voices) == 2
    [row] = world.audit.of("plan_failed")
    assert type(fault).__name__ in row.details["reason"]


def test_both_models_get_the_same_question_and_none_of_it_in_the_system_prompt() -> None:
    world = World()
    heard(world, framed(world))
    first, second = world.model.asked(Purpose.BRAINSTORM)
    assert first.messages == second.messages
    assert (first.model, second.model) == (LADDER[-2], LADDER[-1])
    system, user = first.messages
    assert BRIEF in user.text
    assert REQUEST in user.text
    assert BRIEF not in system.text


def test_the_options_are_shown_in_full_with_a_button_each() -> None:
    world = World()
    after = world.consolidate()(heard(world, framed(world)))
    assert (after.outcome, after.next) == (Outcome.DONE, Next.END)
    assert [option.title for option in world.row.options] == ["Tokens", "Sessions", "Both"]
    text, last = posts(world)[-2:]
    assert "## 1. Tokens" in text.content
    assert "✅ fast\n✅ cheap\n✅ known" in text.content
    assert "❌ old" in text.content
    assert "**Which one, when:** Tokens for many services." in text.content
    assert text.reply_to == MESSAGE
    assert last.content.startswith("Which one shall we explore?")
    assert last.embeds[0].title == "🧠 Consolidator"
    pressed = [decode(button.custom_id) for button in last.buttons[0]]
    assert [(control.action, control.argument) for control in pressed] == [(Action.CHOOSE, str(n)) for n in (1, 2, 3)]
    assert [button.label for button in last.buttons[0]] == ["1. Tokens", "2. Sessions", "3. Both"]


def test_the_models_shown_are_those_that_really_answered() -> None:
    world = World()
    run = heard(world, framed(world))
    assert {voice.model for voice in run.voices} == {SCRIPTED}
    assert [proposal.model for proposal in world.proposals.kept.values()] == [SCRIPTED, SCRIPTED]
    assert world.consolidate()(run).model == SCRIPTED


def test_the_cost_is_that_of_all_four_calls() -> None:
    world = World()
    after = world.consolidate()(heard(world, framed(world)))
    assert after.cost == PRICE + PRICE + PRICE + PRICE
    assert world.row.cost == after.cost
    assert world.budgets.open_slices(EXECUTION) == ()


def test_a_model_that_gives_no_proposal_in_shape_ends_its_voice_and_still_costs() -> None:
    world = World()
    run = framed(world)
    world.plays(says("no"), says("never"), purpose=Purpose.BRAINSTORM)
    voice = world.brainstorm()(run, run.voices[0])
    assert voice.failure is not None
    assert voice.failure.error == "InvalidReply"
    assert voice.cost == PRICE + PRICE
    assert "gave nothing" in cards(world)[0]


def test_a_provider_that_does_not_answer_leaves_a_voice_to_a_retry() -> None:
    world = World()
    run = framed(world)
    world.model.faults[Purpose.BRAINSTORM] = [ModelUnavailable("503")]
    with pytest.raises(ModelUnavailable):
        world.brainstorm()(run, run.voices[0])
    assert world.brainstorm()(run, run.voices[0]).failure is None


def test_a_voice_that_was_caught_is_told_on_its_card_and_beside_the_options() -> None:
    world = World()
    run = framed(world)
    first, second = run.voices
    run = replace(run, voices=(replace(first, failure=FAILED), world.brainstorm()(run, second)))
    after = world.consolidate()(run)
    assert after.outcome is Outcome.DONE
    [request] = world.model.asked(Purpose.CONSOLIDATE)
    assert len(world.prompts.values_of("consolidate_request")["proposals"]) == 1
    assert request.model == LADDER[-1]
    assert "gave nothing. The model's provider did not answer" in cards(world)[0]
    assert f"⚠️ {LADDER[-2]} gave no options." in posts(world)[-2].content


def test_without_any_voice_there_is_nothing_to_merge() -> None:
    world = World()
    run = framed(world)
    silent = tuple(replace(voice, failure=FAILED) for voice in run.voices)
    with pytest.raises(NoProposals):
        world.consolidate()(replace(run, voices=silent))
    assert not world.model.asked(Purpose.CONSOLIDATE)


def test_voices_that_nobody_can_pay_end_the_run_for_lack_of_money() -> None:
    world = World()
    run = framed(world)
    broke = tuple(replace(voice, failure=StepFailure("OverBudget", "The limit is reached.")) for voice in run.voices)
    after = world.consolidate()(replace(run, voices=broke))
    assert after.outcome is Outcome.OUT_OF_BUDGET
    assert "**Not finished**: The limit is reached." in posts(world)[-1].content


@pytest.mark.parametrize("fault", [ModelUnavailable("503"), ModelRefused("400"), OverBudget("no money")])
def test_what_was_paid_for_is_shown_although_nobody_can_merge_it(fault: Exception) -> None:
    world = World()
    run = heard(world, framed(world))
    world.model.faults[Purpose.CONSOLIDATE] = [fault]
    after = world.consolidate()(run)
    assert after.outcome is Outcome.DONE
    assert [option.title for option in world.row.options] == ["Sessions", "Tokens"]
    assert f"these are those of {SCRIPTED} alone" in posts(world)[-2].content
    assert len(world.audit.of("consolidation_failed")) == 1


def test_a_stop_while_models_think_ends_the_run_as_stopped() -> None:
    world = World()
    run = framed(world)
    world.model.during = lambda request: world.executions.request_stop(EXECUTION, BOB)
    run = heard(world, run)
    assert {voice.failure.error for voice in run.voices if voice.failure} == {"Stopped"}
    after = world.consolidate()(run)
    assert after.outcome is Outcome.STOPPED
    assert "Stopped" in posts(world)[-1].content
    assert not world.model.asked(Purpose.CONSOLIDATE)


def test_a_card_that_discord_refuses_to_edit_costs_no_proposal() -> None:
    world = World()
    run = framed(world)
    world.discord.failures["edit"] = lambda: DiscordRefused("gone", status=404)
    assert world.brainstorm()(run, run.voices[0]).failure is None


def test_secrets_and_code_are_in_no_option() -> None:
    world = World()
    run = framed(world)
    leak = f"ghp_{'Z' * 36}"
    world.plays(
        answers(
            options=[
                approach("Tokens", overview=f"Use {leak}.\n```python\nimport jwt\n```"),
                approach("Sessions", pros=["- fast", "```sh\nrm\n```", *"abcdefgh"]),
            ]
        ),
        purpose=Purpose.CONSOLIDATE,
    )
    world.consolidate()(heard(world, run))
    text = "\n".join(option.text for option in world.row.options)
    assert "ZZ" not in text
    assert "import jwt" not in text
    assert "rm" not in text
    assert world.row.options[1].text.count("✅") == 7


def test_a_run_that_ended_gets_no_voices_and_no_second_ending() -> None:
    world = World()
    run = heard(world, framed(world))
    world.consolidate()(run)
    before = len(posts(world))
    assert world.consolidate()(run).outcome is Outcome.DONE
    assert world.frame()(run).voices == ()
    assert len(posts(world)) == before
    assert len(world.model.asked(Purpose.CONSOLIDATE)) == 1


def test_a_merging_that_dies_anywhere_ends_once() -> None:
    world = World()
    run = heard(world, framed(world))
    with world.effects.watch(moments := Moments()):
        world.consolidate()(run)
    for at in range(len(moments.seen)):
        world = World()
        run = heard(world, framed(world))
        with pytest.raises(Death), world.effects.watch(Moments(at, die)):
            world.consolidate()(run)
        after = world.consolidate()(run)
        assert after.outcome is Outcome.DONE, moments.seen[at]
        assert len([post for post in posts(world) if "Execution Complete" in post.content]) == 1, moments.seen[at]
        assert len(world.row.options) == 3
        assert world.budgets.open_slices(EXECUTION) == (), moments.seen[at]


def test_a_run_without_a_row_cannot_be_worked_on() -> None:
    world = World()
    run = framed(world)
    world.executions.rows.clear()
    with pytest.raises(InvalidEvent):
        world.frame()(run)
    with pytest.raises(InvalidEvent):
        world.brainstorm()(run, Voice(1, ModelName("small")))
    with pytest.raises(InvalidEvent):
        world.consolidate()(run)


def test_a_merging_that_dies_after_it_showed_options_keeps_them() -> None:
    def merging() -> tuple[World, RunState]:
        world = World()
        run = heard(world, framed(world))
        first, second = ([approach(f"{letter}{number}") for number in (1, 2, 3)] for letter in "AB")
        world.plays(answers(options=first), answers(options=second), purpose=Purpose.CONSOLIDATE)
        return world, run

    world, run = merging()
    with world.effects.watch(moments := Moments()):
        world.consolidate()(run)
    for at in range(len(moments.seen)):
        world, run = merging()
        with pytest.raises(Death), world.effects.watch(Moments(at, die)):
            world.consolidate()(run)
        world.consolidate()(run)
        shown = " ".join([post.content for post in posts(world)] + cards(world))
        assert all(option.title in shown for option in world.row.options), moments.seen[at]
