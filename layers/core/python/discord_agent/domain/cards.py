"""What the bot shows of a run, as posts within Discord's limits (behaviour contract, sections 14 and 15).

Text of models and people is escaped in lines and titles; where it is prose, it keeps its Markdown and is cut.
"""

from collections.abc import Sequence
from copy import replace
from enum import IntEnum
from typing import Final

from discord_agent.domain import cost_lines
from discord_agent.domain.card_lines import (
    checkpoint_line,
    compaction_line,
    escalation_line,
    newest,
    nudge_line,
    plan_line,
    resumed_line,
    tool_line,
    turn_done_line,
    turn_line,
    writing_line,
)
from discord_agent.domain.chunking import cut
from discord_agent.domain.classification import CHECKPOINT_INTERVAL
from discord_agent.domain.controls import MAX_CUSTOM_ID, Action, Control, encode
from discord_agent.domain.figures import figures
from discord_agent.domain.ids import ExecutionId, MessageId, UserId, execution_for_message
from discord_agent.domain.inbound import InboundMessage
from discord_agent.domain.layout import BUTTON_LABEL_LIMIT, FIELD_VALUE_LIMIT, TITLE_LIMIT, fit, line, short
from discord_agent.domain.posts import Button, ButtonStyle, Embed, Field, Post
from discord_agent.domain.reasons import why
from discord_agent.domain.run import Commit, Next, Outcome, RunState, TurnStatus, Waiting
from discord_agent.domain.session import Decision

__all__ = [
    "NO_ANSWER",
    "STOP_NOTICE",
    "attachment_refused",
    "checkpoint_line",
    "clarification",
    "clarified",
    "commit_card",
    "compaction_line",
    "decided",
    "decision_failed",
    "ending",
    "escalation_line",
    "event_failed",
    "failed",
    "message_failed",
    "nudge_line",
    "offer",
    "plan_line",
    "progress",
    "request_failed",
    "resumed_line",
    "retry_buttons",
    "start",
    "tool_line",
    "turn_done_line",
    "turn_line",
    "why_rejected",
    "writing_line",
]


class Colour(IntEnum):
    """Colours of cards."""

    RUNNING = 0x5865F2
    GOOD = 0x57F287
    ATTENTION = 0xFEE75C
    BAD = 0xED4245
    COMMIT = 0x00FF00


NO_ANSWER: Final = "⚠️ The model gave no answer. Ask again, or put it differently."
STOP_NOTICE: Final = "⏹️ Execution stop requested. Will halt at next turn."
START: Final = "🚀 Starting work... (react 🛑 to stop)"
WORKING: Final = "⚙️ Working... (react 🛑 to stop)"

_QUESTION_LIMIT = 3000
_FILES_SHOWN = 15
_SHORT_SHA = 7

type Buttons = tuple[tuple[Button, ...], ...]


def start(run: RunState) -> Post:
    """The live card as a run begins."""
    return progress(run, ())


def progress(run: RunState, lines: Sequence[str]) -> Post:
    """The live card: its newest lines, the figures, and a button to stop while there is something to stop."""
    title, colour = _state(run)
    embed = Embed(
        title=title,
        description="\n".join(newest(lines, run.verbosity)),
        colour=colour,
        fields=figures(run),
        footer=_reference(run.execution_id),
    )
    return Post(embeds=(fit(embed),), buttons=() if run.outcome else ((_stop_button(run.execution_id),),))


def clarification(run: RunState) -> Post:
    """A question only people can answer; its options are buttons, any message in the thread answers it too.

    A run that waits for money goes on when somebody who may spend extends its budget, and by nothing else.
    """
    if run.waiting is Waiting.MONEY:
        who = "Administrators and those with a permit can extend the budget. The run waits for a day."
        embed = _question_embed(run, "💰 Budget Reached", who)
        return Post(embeds=(fit(embed),), buttons=((_extend_button(run.execution_id), _stop_button(run.execution_id)),))
    options = tuple(
        _option_button(run.execution_id, number, option) for number, option in enumerate(run.options[:5], start=1)
    )
    embed = _question_embed(run, "💬 Clarification Needed", "💬 Write your answer here. The run waits for a day.")
    controls = tuple(button(run.execution_id) for button in (_stop_button, _again_button, _continue_button))
    return Post(embeds=(fit(embed),), buttons=(options, controls) if options else (controls,))


def clarified(run: RunState) -> Post:
    """The question once the run goes on: nothing to press any more."""
    title = "💰 Budget Reached" if run.waiting is Waiting.MONEY else "💬 Clarification"
    return Post(embeds=(fit(_question_embed(run, title, "The run goes on.")),))


def _question_embed(run: RunState, title: str, footer: str) -> Embed:
    return Embed(
        title=title,
        description=cut(run.question, _QUESTION_LIMIT),
        colour=Colour.ATTENTION,
        fields=(Field("Confidence", f"{run.confidence}%"), Field("Turn", f"{run.turn}/{run.max_turns}")),
        footer=f"{footer} {_reference(run.execution_id)}",
    )


def commit_card(execution: ExecutionId, commit: Commit) -> tuple[tuple[Embed, ...], Buttons]:
    """The card people merge or reject a commit on; its buttons carry the hash that is shown."""
    buttons = (
        Button("Merge", encode(Control(Action.MERGE, execution, commit.sha)), ButtonStyle.SUCCESS, "👍"),
        Button("Reject", encode(Control(Action.REJECT, execution, commit.sha)), ButtonStyle.DANGER, "👎"),
    )
    return (fit(_commit_embed(commit, Colour.COMMIT, "👍 to merge | 👎 to reject")),), (buttons,)


def decided(run: RunState, commit: Commit, decision: Decision, *, by: UserId | None, result: str) -> Post:
    """The commit card once it is settled; ``result`` is the merge's hash, or why there was no merge."""
    is_merged = decision is Decision.MERGE and _is_hash(result)
    who = f" by <@{by}>" if by else ""
    match decision:
        case Decision.MERGE if is_merged:
            text, colour = f"✅ Merged into main{who} as `{result[:_SHORT_SHA]}`.", Colour.GOOD
        case Decision.MERGE:
            next_step = "The branch is kept: merge it by hand, or ask me for the change again."
            text, colour = f"⚠️ Not merged: {cut(result, 800)}\n{next_step}", Colour.BAD
        case Decision.REJECT:
            text, colour = f"❌ Rejected{who}. The branch is deleted; its commit can be recovered.", Colour.BAD
        case Decision.EXPIRE:
            text, colour = "⌛ Nobody decided in time. The branch is kept.", Colour.ATTENTION
        case Decision.SUPERSEDE:
            text, colour = "↪️ Superseded: a newer commit card below takes its place.", Colour.ATTENTION
    embed = _commit_embed(commit, colour, _reference(run.execution_id))
    with_decision = replace(embed, fields=(*embed.fields, Field("Decision", text, inline=False)))
    return Post(embeds=(fit(with_decision),))


def why_rejected(by: UserId) -> Post:
    """Ask the person who rejected a commit what was wrong with it."""
    return Post(content=f"<@{by}> What was wrong with it? Write it here, and the next run goes by it.")


def decision_failed(run: RunState) -> Post:
    """A decision could not be carried out."""
    branch = f" Branch `{line(run.commit.branch, 80)}` is kept." if run.commit else ""
    return Post(
        content=f"⚠️ **The decision could not be carried out.** {why(run.failure)}{branch}\n"
        f"Next: merge it by hand, or ask me for the change again.\n{_small(_reference(run.execution_id))}"
    )


def ending(run: RunState, text: str, *, missing: Sequence[str] = ()) -> str:
    """The text of the terminal message: what happened, what is kept, what to do next, and the figures.

    ``missing`` are files the model wanted to send that do not exist.
    """
    notes = _missing(missing)
    if run.outcome is Outcome.DONE:
        return "\n\n".join((text.strip() or "Done.", *notes, _small(f"🏁 Execution Complete · {_totals(run)}")))
    headline, next_step = _ended(run)
    parts = (headline, text.strip(), *notes, f"{_saved(run)}\nNext: {next_step}", _small(_totals(run)))
    return "\n\n".join(part for part in parts if part)


def failed(run: RunState) -> Post:
    """The terminal message of a run that failed, or that was stopped where it could only fail."""
    was_stopped = run.failure is not None and run.failure.error == "Stopped"
    run = replace(run, outcome=Outcome.STOPPED) if was_stopped else run
    return Post(content=cut(ending(run, ""), 1900), buttons=retry_buttons(run))


def retry_buttons(run: RunState) -> Buttons:
    """How to go on after a run that did not finish."""
    if run.outcome is Outcome.OUT_OF_BUDGET:
        return ((_extend_button(run.execution_id),),)
    again = _again_button if run.outcome is Outcome.FAILED else _continue_button
    back = (_rewind_button(run),) if run.turn else ()
    return ((again(run.execution_id), _stronger_button(run.execution_id), *back),)


def message_failed(message: InboundMessage) -> Post:
    """A message that could not be processed."""
    return Post(
        content="⚠️ **I could not process this message**, although I tried several times. Nothing was changed.\n"
        f"Next: send it again.\n{_small(_reference(execution_for_message(message.id)))}",
        reply_to=message.id,
    )


def request_failed(message: MessageId) -> Post:
    """A request that could not be started."""
    return Post(
        content="⚠️ **I could not start on this**, although I tried several times. Nothing was changed.\n"
        f"Next: ask again.\n{_small(_reference(execution_for_message(message)))}",
        reply_to=message,
    )


def event_failed(event: str, reference: str) -> Post:
    """Something people did (a reaction, a button, a command) that could not be processed."""
    return Post(
        content=f"⚠️ **I could not process something you did** ({line(event, 60)}). Nothing was changed.\n"
        f"Next: do it again.\n{_small(f'Reference: {line(reference, 60)}')}"
    )


def offer(execution: ExecutionId, message: MessageId) -> Post:
    """A request that waited too long to be started unasked."""
    yes = Button("Yes, start it", encode(Control(Action.RETRY, execution)), ButtonStyle.PRIMARY, "🔄")
    return Post(
        content="⌛ I was away when you wrote this. Do you still want it?",
        buttons=((yes,),),
        reply_to=message,
    )


def attachment_refused(name: str, limit: int) -> Post:
    """An attachment that was not taken; ``limit`` in bytes."""
    size = f"{limit // (1024 * 1024)} MB"
    return Post(content=f"⚠️ **{line(name, 200)}** was not imported: it is larger than {size} or can no longer be read.")


def _count(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def _missing(paths: Sequence[str]) -> tuple[str, ...]:
    if not paths:
        return ()
    shown = ", ".join(line(path, 80) for path in paths[:_FILES_SHOWN])
    more = f" and {len(paths) - _FILES_SHOWN} more" if len(paths) > _FILES_SHOWN else ""
    return (f"⚠️ To be sent, but not there: {shown}{more}.",)


def _ended(run: RunState) -> tuple[str, str]:
    """What happened and what to do next, for a run that is not done."""
    go_on = "press **Continue**, or write what to do differently."
    match run.outcome:
        case Outcome.STOPPED:
            return "⏹️ **Stopped**, as asked.", go_on
        case Outcome.OUT_OF_TURNS:
            return f"⚠️ **Not finished**: all {run.max_turns} turns are used.", go_on
        case Outcome.OUT_OF_BUDGET:
            limit = cut(run.question, 1000) or "The budget is used up."
            return f"⚠️ **Not finished**: {limit}", "have an administrator, or somebody with a permit, press **Extend**."
        case Outcome.NEEDS_YOU:
            waited = "" if run.status is TurnStatus.COMPLETE else ", and nobody answered in time"
            question = cut(run.question, 1000)
            return f"💬 **I need you**{waited}: {question}", "answer here, or press **Continue**."
        case _:
            return (
                f"❌ **Failed.** {why(run.failure)}",
                "press **Try again**; if it fails again, give the reference to an operator.",
            )


def _saved(run: RunState) -> str:
    if run.commit is not None:
        return f"Saved: branch `{line(run.commit.branch, 80)}`."
    if run.turn == 0:
        return "Saved: nothing was changed yet."
    turns, files = _count(run.turn, "turn"), _count(len(run.files_changed), "changed file")
    return f"Saved: the work of {turns} is kept in this thread's workspace ({files})."


_STATES: Final = {
    Outcome.DONE: ("🏁 Execution Complete", Colour.GOOD),
    Outcome.STOPPED: ("⏹️ Stopped", Colour.ATTENTION),
    Outcome.FAILED: ("❌ Failed", Colour.BAD),
    Outcome.OUT_OF_TURNS: ("⚠️ Out of turns", Colour.ATTENTION),
    Outcome.OUT_OF_BUDGET: ("⚠️ Out of budget", Colour.ATTENTION),
    Outcome.NEEDS_YOU: ("💬 Needs you", Colour.ATTENTION),
}


def _state(run: RunState) -> tuple[str, Colour]:
    if run.outcome is not None:
        return _STATES[run.outcome]
    if run.next is not Next.CLARIFY:
        return WORKING if run.max_turns else START, Colour.RUNNING
    for_money = run.waiting is Waiting.MONEY
    return ("💰 Waiting for money" if for_money else "💬 Waiting for your answer"), Colour.ATTENTION


def _totals(run: RunState) -> str:
    figures = (
        f"Turns: {run.turn}/{run.max_turns}" if run.max_turns else "",
        f"Files: {len(run.files_changed)} modified" if run.files_changed else "",
        f"Confidence: {run.confidence}%" if run.turn else "",
        f"Model: {line(run.model, 100)}" if run.model else "",
        f"Tokens: {run.usage.input:,} in, {run.usage.output:,} out",
        f"Cost: {cost_lines.parts(run.cost, run.cloud)}",
        _reference(run.execution_id),
    )
    return " · ".join(figure for figure in figures if figure)


def _commit_embed(commit: Commit, colour: Colour, footer: str) -> Embed:
    subject = commit.message.strip().split("\n", 1)[0]
    delicate = (Field("⚠️ Changes what runs elsewhere", _file_list(commit.delicate), inline=False),)
    return Embed(
        title=line(f"📝 Commit: {subject}", TITLE_LIMIT),
        colour=colour,
        fields=(
            Field("Branch", line(commit.branch, FIELD_VALUE_LIMIT)),
            Field("Files", _file_list(commit.files), inline=False),
            *(delicate if commit.delicate else ()),
            Field("Hash", f"`{commit.sha[:_SHORT_SHA]}`"),
        ),
        footer=footer,
    )


def _file_list(files: Sequence[str]) -> str:
    shown = [line(path, 60) for path in files[:_FILES_SHOWN]]
    more = [f"… and {len(files) - _FILES_SHOWN} more"] if len(files) > _FILES_SHOWN else []
    return "\n".join((*shown, *more)) or "None"


def _is_hash(text: str) -> bool:
    return len(text) == 40 and all(character in "0123456789abcdef" for character in text)


def _option_button(execution: ExecutionId, number: int, option: str) -> Button:
    """The button carries the answer itself, as far as a custom id holds it; the number keeps equal beginnings apart."""
    room = MAX_CUSTOM_ID - len(encode(Control(Action.ANSWER, execution))) - 1
    answer_given = Control(Action.ANSWER, execution, short(f"{number}. {option}", room))
    return Button(short(option, BUTTON_LABEL_LIMIT) or str(number), encode(answer_given), ButtonStyle.PRIMARY)


def _stop_button(execution: ExecutionId) -> Button:
    return Button("Stop", encode(Control(Action.STOP, execution)), ButtonStyle.DANGER, "🛑")


def _extend_button(execution: ExecutionId) -> Button:
    return Button("Extend", encode(Control(Action.EXTEND, execution)), ButtonStyle.PRIMARY, "💰")


def _again_button(execution: ExecutionId) -> Button:
    return Button("Try again", encode(Control(Action.RETRY, execution)), ButtonStyle.PRIMARY, "🔄")


def _rewind_button(run: RunState) -> Button:
    """Back to the checkpoint before the last turn; any other turn is reached with /rewind."""
    turn = (run.turn - 1) // CHECKPOINT_INTERVAL * CHECKPOINT_INTERVAL
    label = f"Back to turn {turn}" if turn else "Back to the start"
    return Button(label, encode(Control(Action.REWIND, run.execution_id, str(turn))), emoji="⏪")


def _stronger_button(execution: ExecutionId) -> Button:
    return Button("Try with a stronger model", encode(Control(Action.STRONGER, execution)), emoji="🚀")


def _continue_button(execution: ExecutionId) -> Button:
    return Button("Continue", encode(Control(Action.CONTINUE, execution)), ButtonStyle.PRIMARY, "✅")


def _reference(execution: ExecutionId) -> str:
    return f"Reference: {execution}"


def _small(text: str) -> str:
    """A line in Discord's small print."""
    return f"-# {text}"
