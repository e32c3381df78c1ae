from collections.abc import Iterator
from copy import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain import cards
from discord_agent.domain.controls import Action, Control, decode
from discord_agent.domain.ids import (
    ChannelId,
    CommitSha,
    ExecutionId,
    MessageId,
    ModelName,
    ThreadId,
    UserId,
)
from discord_agent.domain.inbound import Author, InboundMessage
from discord_agent.domain.layout import size
from discord_agent.domain.money import Cost, Usage, Usd
from discord_agent.domain.posts import Embed, Field, Post
from discord_agent.domain.run import Commit, Next, Outcome, RunState, StepFailure
from discord_agent.domain.session import Decision

RUN = RunState(
    execution_id=ExecutionId("m-1"),
    thread_id=ThreadId("1"),
    channel_id=ChannelId("1"),
    message_id=MessageId("1"),
    author_id=UserId("1"),
    model=ModelName("minimax-m2.1"),
    turn=3,
    max_turns=20,
    confidence=85,
    files_changed=("a.py", "b.py"),
    usage=Usage(1234, 0, 56),
    cost=Cost(Usd(Decimal("0.0123"))),
    started_at="2026-01-02T12:00:00+00:00",
)
SHA = CommitSha("0123456789abcdef0123456789abcdef01234567")
COMMIT = Commit(SHA, "auth-jwt", "Use JWT\n\nBody", ("src/auth.py", "tests/test_auth.py"), CommitSha("f" * 40))
ENDED = [outcome for outcome in Outcome if outcome is not Outcome.DONE]


def controls(post: Post) -> list[Control]:
    return [decode(button.custom_id) for row in post.buttons for button in row]


def test_a_run_begins_with_the_hint_how_to_stop_it() -> None:
    post = cards.start(replace(RUN, turn=0, max_turns=0, model=ModelName("")))
    assert post.embeds[0].title == "🚀 Starting work... (react 🛑 to stop)"
    assert controls(post) == [Control(Action.STOP, ExecutionId("m-1"))]


def test_the_live_card_shows_the_newest_lines_and_the_figures() -> None:
    post = cards.progress(RUN, [f"line {number}" for number in range(20)])
    assert post.embeds == (
        Embed(
            title="⚙️ Working... (react 🛑 to stop)",
            description="\n".join(f"line {number}" for number in range(8, 20)),
            colour=0x5865F2,
            fields=(
                Field("Turn", "3/20"),
                Field("Confidence", "85%"),
                Field("Model", "minimax-m2.1"),
                Field("Files Modified", "2"),
                Field("Cost", "$0.0123"),
                Field("Started", "<t:1767355200:R>"),
            ),
            footer="Reference: m-1",
        ),
    )


def test_a_parked_run_says_that_it_waits_and_can_be_stopped() -> None:
    post = cards.progress(replace(RUN, next=Next.CLARIFY), ())
    assert post.embeds[0].title == "💬 Waiting for your answer"
    assert controls(post) == [Control(Action.STOP, ExecutionId("m-1"))]


@pytest.mark.parametrize("outcome", Outcome)
def test_a_run_that_ended_cannot_be_stopped_any_more(outcome: Outcome) -> None:
    post = cards.progress(replace(RUN, outcome=outcome), ())
    assert post.buttons == ()
    assert "Starting" not in post.embeds[0].title


def test_a_question_offers_its_answers_as_buttons() -> None:
    post = cards.clarification(replace(RUN, question="Which one?", options=("The first", "The second")))
    assert post.embeds[0].description == "Which one?"
    assert [button.label for button in post.buttons[0]] == ["The first", "The second"]
    assert controls(post) == [
        Control(Action.ANSWER, ExecutionId("m-1"), "1. The first"),
        Control(Action.ANSWER, ExecutionId("m-1"), "2. The second"),
        Control(Action.STOP, ExecutionId("m-1")),
        Control(Action.RETRY, ExecutionId("m-1")),
        Control(Action.CONTINUE, ExecutionId("m-1")),
    ]


def test_a_commit_card_has_the_published_shape_and_its_buttons_name_the_commit() -> None:
    embeds, buttons = cards.commit_card(ExecutionId("m-1"), COMMIT)
    assert embeds == (
        Embed(
            title="📝 Commit: Use JWT",
            colour=0x00FF00,
            fields=(
                Field("Branch", "auth-jwt"),
                Field("Files", "src/auth.py\ntests/test_auth.py", inline=False),
                Field("Hash", "`0123456`"),
            ),
            footer="👍 to merge | 👎 to reject",
        ),
    )
    assert controls(Post(buttons=buttons)) == [
        Control(Action.MERGE, ExecutionId("m-1"), SHA),
        Control(Action.REJECT, ExecutionId("m-1"), SHA),
    ]


def test_files_that_change_what_runs_elsewhere_stand_out_before_anybody_decides() -> None:
    commit = replace(COMMIT, delicate=(".github/workflows/ci.yml",))
    embeds, _ = cards.commit_card(ExecutionId("m-1"), commit)
    assert embeds[0].fields[2] == Field("⚠️ Changes what runs elsewhere", ".github/workflows/ci.yml", inline=False)


def test_a_commit_without_files_says_so() -> None:
    embeds, _ = cards.commit_card(ExecutionId("m-1"), replace(COMMIT, files=()))
    assert embeds[0].fields[1] == Field("Files", "None", inline=False)


@pytest.mark.parametrize(
    ("decision", "result", "text"),
    [
        (Decision.MERGE, "a" * 40, "✅ Merged into main by <@7> as `aaaaaaa`."),
        (
            Decision.MERGE,
            "a.py clashes",
            "⚠️ Not merged: a.py clashes\nThe branch is kept: merge it by hand, or ask me for the change again.",
        ),
        (Decision.REJECT, "", "❌ Rejected by <@7>. The branch is deleted; its commit can be recovered."),
        (Decision.EXPIRE, "", "⌛ Nobody decided in time. The branch is kept."),
        (Decision.SUPERSEDE, "", "↪️ Superseded: a newer commit card below takes its place."),
    ],
)
def test_a_settled_commit_card_says_how_and_has_no_buttons(decision: Decision, result: str, text: str) -> None:
    post = cards.decided(RUN, COMMIT, decision, by=UserId("7"), result=result)
    assert post.embeds[0].fields[-1] == Field("Decision", text, inline=False)
    assert post.embeds[0].fields[0] == Field("Branch", "auth-jwt")
    assert post.buttons == ()


def test_a_finished_run_ends_with_its_answer_and_its_figures() -> None:
    text = cards.ending(replace(RUN, outcome=Outcome.DONE), "All done.", missing=["x.md"])
    assert text == (
        "All done.\n\n⚠️ To be sent, but not there: x.md.\n\n"
        "-# 🏁 Execution Complete · Turns: 3/20 · Files: 2 modified · Confidence: 85% · Model: minimax-m2.1 · "
        "Tokens: 1,234 in, 56 out · Cost: $0.0123 · Reference: m-1"
    )


def test_many_missing_files_are_one_short_note() -> None:
    text = cards.ending(replace(RUN, outcome=Outcome.DONE), "Done.", missing=[f"{number}.md" for number in range(40)])
    assert "0.md, 1.md, " in text
    assert "14.md and 25 more." in text


@pytest.mark.parametrize("outcome", ENDED)
def test_any_other_end_says_why_what_is_kept_what_to_do_and_its_reference(outcome: Outcome) -> None:
    text = cards.ending(replace(RUN, outcome=outcome, question="Which?"), "")
    assert "Saved: the work of 3 turns is kept" in text
    assert "\nNext: " in text
    assert "Reference: m-1" in text
    assert "Execution Complete" not in text


def test_a_failure_is_told_by_its_kind_and_never_by_its_raw_cause() -> None:
    failure = StepFailure("SandboxUnavailable", "Traceback: secret at 10.0.0.1")
    post = cards.failed(replace(RUN, outcome=Outcome.FAILED, failure=failure))
    assert "The sandbox did not answer." in post.content
    assert "secret" not in post.content
    assert [control.action for control in controls(post)] == [Action.RETRY, Action.STRONGER, Action.REWIND]


def test_a_failure_of_an_unknown_kind_is_told_too() -> None:
    post = cards.failed(replace(RUN, outcome=Outcome.FAILED, failure=StepFailure("KeyError")))
    assert "Something went wrong inside." in post.content


def test_a_flow_that_can_only_fail_says_so_when_it_was_stopped() -> None:
    post = cards.failed(replace(RUN, outcome=Outcome.FAILED, failure=StepFailure("Stopped")))
    assert post.content.startswith("⏹️ **Stopped**")
    assert "Failed" not in post.content


@pytest.mark.parametrize("outcome", [Outcome.STOPPED, Outcome.OUT_OF_TURNS, Outcome.NEEDS_YOU])
def test_a_run_that_ended_early_can_be_continued_with_a_stronger_model_too(outcome: Outcome) -> None:
    buttons = cards.retry_buttons(replace(RUN, outcome=outcome))
    assert controls(Post(buttons=buttons)) == [
        Control(Action.CONTINUE, ExecutionId("m-1")),
        Control(Action.STRONGER, ExecutionId("m-1")),
        Control(Action.REWIND, ExecutionId("m-1"), "0"),
    ]


@pytest.mark.parametrize(
    ("turn", "goal", "label"),
    [
        (1, "0", "Back to the start"),
        (5, "0", "Back to the start"),
        (6, "5", "Back to turn 5"),
        (10, "5", "Back to turn 5"),
        (20, "15", "Back to turn 15"),
    ],
)
def test_a_run_that_ended_early_can_be_taken_back_to_the_checkpoint_before_its_end(
    turn: int, goal: str, label: str
) -> None:
    [row] = cards.retry_buttons(replace(RUN, turn=turn, outcome=Outcome.STOPPED))
    assert (decode(row[-1].custom_id), row[-1].label) == (Control(Action.REWIND, ExecutionId("m-1"), goal), label)


def test_where_no_turn_was_made_there_is_nothing_to_go_back_to() -> None:
    [row] = cards.retry_buttons(replace(RUN, turn=0, outcome=Outcome.FAILED))
    assert Action.REWIND not in [decode(button.custom_id).action for button in row]


def test_a_lost_message_is_named_by_its_reference() -> None:
    message = InboundMessage(MessageId("9"), ChannelId("1"), None, Author(UserId("1"), "ann"), "hi")
    post = cards.message_failed(message)
    assert "Reference: m-9" in post.content
    assert post.reply_to == "9"


def test_an_offer_starts_the_request_it_names() -> None:
    post = cards.offer(ExecutionId("m-9"), MessageId("9"))
    assert controls(post) == [Control(Action.RETRY, ExecutionId("m-9"))]


def test_a_request_or_an_event_that_got_lost_is_told_with_what_to_do() -> None:
    request = cards.request_failed(MessageId("9"))
    assert (request.reply_to, "Next: ask again." in request.content) == ("9", True)
    event = cards.event_failed("MESSAGE_REACTION_ADD", "abc123")
    assert "Reference: abc123" in event.content


foreign = st.one_of(st.text(max_size=40), st.text(alphabet="`_*\n<a", max_size=40).map(lambda text: text * 200))
runs = st.builds(
    lambda text, outcome, turn, files: replace(
        RUN,
        model=ModelName(text),
        question=text,
        options=(text, text),
        outcome=outcome,
        turn=turn,
        files_changed=tuple(files),
        failure=StepFailure(text, text),
        commit=replace(COMMIT, branch=text, message=text, files=tuple(files)),
    ),
    foreign,
    st.sampled_from([None, *Outcome]),
    st.integers(0, 35),
    st.lists(foreign, max_size=30),
)


def posts_of(run: RunState, text: str) -> Iterator[Post]:
    commit = run.commit or COMMIT
    embeds, buttons = cards.commit_card(run.execution_id, commit)
    yield cards.progress(run, [text] * 30)
    yield cards.clarification(run)
    yield Post(embeds=embeds, buttons=buttons)
    yield cards.failed(replace(run, outcome=Outcome.FAILED))
    yield cards.decision_failed(run)
    yield cards.attachment_refused(text, 1)
    for decision in Decision:
        yield cards.decided(run, commit, decision, by=None, result=text)


@given(runs, foreign)
def test_every_post_stays_within_discords_limits_whatever_people_and_models_write(run: RunState, text: str) -> None:
    for post in posts_of(run, text):
        assert len(post.content) <= 2000
        assert sum(map(size, post.embeds)) <= 6000
        for embed in post.embeds:
            assert 1 <= len(embed.title) <= 256
            assert len(embed.description) <= 4096
            assert all(1 <= len(field.name) <= 256 and 1 <= len(field.value) <= 1024 for field in embed.fields)
        assert all(1 <= len(row) <= 5 for row in post.buttons)
        ids = [button.custom_id for row in post.buttons for button in row]
        assert len(set(ids)) == len(ids)
        assert all(1 <= len(custom_id) <= 100 for custom_id in ids)
        assert all(1 <= len(button.label) <= 80 for row in post.buttons for button in row)
