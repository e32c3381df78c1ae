from copy import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain import option_cards
from discord_agent.domain.controls import decode
from discord_agent.domain.ids import ChannelId, ExecutionId, MessageId, ModelName, ThreadId, UserId
from discord_agent.domain.layout import BUTTON_LABEL_LIMIT, EMBED_LIMIT, size
from discord_agent.domain.options import MOST_OPTIONS, Option, Proposal
from discord_agent.domain.reasons import why
from discord_agent.domain.run import Outcome, RunState, StepFailure, Voice

RUN = RunState(
    ExecutionId("m-1"), ThreadId("7"), ChannelId("7"), MessageId("1"), UserId("2"),
    model=ModelName("claude-sonnet-4.5"), outcome=Outcome.DONE,
)  # fmt: skip
VOICE = Voice(1, ModelName("gemini-3-pro"))


def test_a_voice_shows_that_it_thinks_what_it_thought_of_or_why_it_did_not() -> None:
    proposal = Proposal(VOICE.model, (Option("Tokens", "…"), Option("Sessions", "…")))
    silent = replace(VOICE, failure=StepFailure("ModelUnavailable"))
    texts = [
        option_cards.branching(RUN, VOICE).embeds[0].description,
        option_cards.proposed(RUN, VOICE, proposal).embeds[0].description,
        option_cards.silent(RUN, silent).embeds[0].description,
    ]
    assert texts == [
        "Brainstorming (gemini-3-pro)…",
        "✅ Brainstorming (gemini-3-pro)\n- Tokens\n- Sessions",
        f"⚠️ Brainstorming (gemini-3-pro) gave nothing. {why(silent.failure)}",
    ]
    assert option_cards.branching(RUN, VOICE).embeds[0].colour == 0xE74C3C


def test_only_a_voice_that_thinks_can_be_stopped() -> None:
    assert option_cards.branching(RUN, VOICE).buttons
    assert not option_cards.proposed(RUN, VOICE, Proposal(VOICE.model, ())).buttons


def test_a_single_option_is_a_button_that_says_what_it_does() -> None:
    [[button]] = option_cards.option_buttons(RUN.execution_id, (Option("Implement this", "…"),))
    assert button.label == "Implement this"


titles = st.text(min_size=1, max_size=200).filter(str.strip)


@given(
    st.lists(st.builds(Option, titles, st.text(max_size=9000)), min_size=1, max_size=MOST_OPTIONS),
    st.text(max_size=5000),
)
def test_whatever_the_options_are_each_has_its_button_and_all_fits_into_messages(
    options: list[Option], advice: str
) -> None:
    posts = option_cards.options(RUN, options, recommendation=advice, question="Which?", notes=())
    assert all(len(post.content) <= 2000 for post in posts)
    assert all(size(embed) <= EMBED_LIMIT for post in posts for embed in post.embeds)
    [buttons] = posts[-1].buttons
    assert [decode(button.custom_id).argument for button in buttons] == [str(n) for n in range(1, len(options) + 1)]
    assert all(0 < len(button.label) <= BUTTON_LABEL_LIMIT for button in buttons)


@pytest.mark.parametrize("question", ["", "Which one shall we explore?"])
def test_people_are_always_asked_which_one(question: str) -> None:
    last = option_cards.options(RUN, (Option("A", "a"),), recommendation="", question=question, notes=("⚠️ One.",))[-1]
    assert "?" in last.content.splitlines()[0]
