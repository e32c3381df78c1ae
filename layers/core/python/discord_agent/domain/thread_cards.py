"""What commands tell about a thread and its runs, as posts within Discord's limits (behaviour contract, section 16)."""

from collections.abc import Sequence
from datetime import datetime
from enum import IntEnum
from typing import Final

from msgspec import Struct

from discord_agent.domain import cost_lines
from discord_agent.domain.ago import ago
from discord_agent.domain.feedback import Trend, level, trend
from discord_agent.domain.ids import UserId
from discord_agent.domain.layout import FIELD_VALUE_LIMIT, fit, line
from discord_agent.domain.posts import Embed, Field, Post
from discord_agent.domain.run import HandedOn, Outcome, Waiting
from discord_agent.domain.session import ExecutionRecord, ExecutionStatus, Reasons, Session


class _Colour(IntEnum):
    FREE = 0x57F287
    LOCKED = 0xE67E22
    PLAIN = 0x5865F2


_OUTCOMES: Final = {
    Outcome.DONE: "✅",
    Outcome.STOPPED: "🛑",
    Outcome.FAILED: "❌",
    Outcome.OUT_OF_TURNS: "❌",
    Outcome.OUT_OF_BUDGET: "❌",
    Outcome.NEEDS_YOU: "❓",
}
_TRENDS: Final = {Trend.IMPROVING: "📈 improving", Trend.DECLINING: "📉 declining", Trend.STABLE: "➡️ stable"}
_NOT_YET: Final = "none yet"
_GO_ON: Final = "Next: write what to do now; the next run in this thread goes on from there."


class ThreadState(Struct, frozen=True):
    """A thread as its records tell: the run at work (or the newest), what it waits for, its newest checkpoint."""

    session: Session
    at_work: ExecutionRecord | None = None
    newest: ExecutionRecord | None = None
    waiting_messages: int = 0
    checkpoint: tuple[int, datetime] | None = None

    @property
    def run(self) -> ExecutionRecord | None:
        """The run that its status is about."""
        return self.at_work or self.newest


def status(state: ThreadState, now: datetime, *, execution: str = "") -> Post:
    """What is going on, and why; ``execution`` is the address of the run's execution, for those who may see it."""
    run = state.run
    embed = Embed(
        title="📊 Status",
        description=_headline(state),
        colour=_Colour.LOCKED if state.at_work else _Colour.FREE,
        fields=(*_work(run, state.session), *_past(state, now), *_why(run), *_inside(execution)),
        footer=f"Reference: {run.execution_id}" if run else "",
    )
    return Post(embeds=(fit(embed),))


def logs(records: Sequence[ExecutionRecord], now: datetime) -> Post:
    """The newest runs, newest first."""
    lines = [_log_line(record, now) for record in records]
    return _list("📜 Runs", lines, "No run yet in this thread.")


def confidence(current: int, turns: Sequence[int], escalations: Sequence[HandedOn]) -> Post:
    """How sure the bot is; ``turns`` are the scores of the newest turns, oldest first."""
    by_confidence = sum("confidence" in escalation.reason for escalation in escalations)
    embed = Embed(
        title="🎯 Confidence",
        colour=_Colour.PLAIN,
        fields=(
            Field("Current", f"{current}%"),
            Field("Level", level(current)),
            Field("Trend", _TRENDS[trend(turns)] if turns else _NOT_YET),
            Field("Turns, oldest first", " → ".join(f"{score}%" for score in turns) or _NOT_YET, inline=False),
            Field("Escalations because of it", str(by_confidence)),
        ),
    )
    return Post(embeds=(fit(embed),))


def escalations(found: Sequence[HandedOn], now: datetime) -> Post:
    """Hand-overs to stronger models, newest first."""
    lines = [
        f"🚀 {line(one.before, 60)} → **{line(one.after, 60)}** · turn {one.turn} · {ago(one.at, now)}\n"
        f"-# {line(one.reason, 200)}"
        for one in found
    ]
    return _list("🚀 Escalations", lines, "No stronger model was needed in this thread.")


def cleaned(by: UserId) -> Post:
    """Everybody in the thread is told that its files are gone."""
    return Post(f"🧹 <@{by}> emptied this thread's workspace. The next run starts from the repository.")


def restored(by: UserId) -> Post:
    """Everybody in the thread is told that its files are back."""
    return Post(f"♻️ <@{by}> brought back the files of this thread's workspace.")


def rewound(by: UserId, turn: int) -> Post:
    """Everybody in the thread is told that later turns do not count any more."""
    where = f"to how things were after turn {turn}" if turn else "to how things were at the start"
    return Post(f"⏪ <@{by}> went back {where}. What came after is kept as a checkpoint.\n{_GO_ON}")


def _headline(state: ThreadState) -> str:
    run = state.at_work
    if run is None:
        return "🔓 Nothing is being worked on here. Mention me with a task to begin."
    if run.status is not ExecutionStatus.PARKED:
        return f"🔒 A run is at work, turn {_turn(run)}."
    if run.waiting is Waiting.MONEY:
        return "⏸️ A run waits for money: press **Extend** under its question, or stop it."
    return f"⏸️ A run waits for your answer: {line(run.question, 500)}"


def _work(run: ExecutionRecord | None, session: Session) -> tuple[Field, ...]:
    if run is None:
        return (Field("Confidence", f"{session.confidence}%"),)
    reached = run.reached
    role = run.classification.role.value if run.classification else _NOT_YET
    # What a run at work has cost is in its state; the sums of one that has ended are in its row.
    cost, use = (reached.cost, reached.cloud) if reached and run.outcome is None else (run.cost, run.cloud)
    return (
        Field("Lock", f"turn {_turn(run)}" if run.outcome is None else "free"),
        Field("Stop asked for", f"by <@{run.stop_requested_by}>" if run.stop_requested_by else "no"),
        Field("Flow", run.flow.value),
        Field("Role", role),
        Field("Model", line(reached.model, 100) if reached and reached.model else _NOT_YET),
        Field("Confidence", f"{reached.confidence if reached and run.outcome is None else session.confidence}%"),
        Field("Cost", cost_lines.brief(cost, use)),
    )


def _past(state: ThreadState, now: datetime) -> tuple[Field, ...]:
    handed_on = state.session.escalations[-1:]
    pending = state.session.pending
    checkpoint = state.checkpoint
    last = next((f"{line(one.before, 60)} → {line(one.after, 60)}, {ago(one.at, now)}" for one in handed_on), _NOT_YET)
    fields = (
        (True, Field("Workspace", f"`/workspace/{state.session.thread_id}/`", inline=False)),
        (True, Field("Last escalation", last, inline=False)),
        (True, Field("Checkpoint", f"turn {checkpoint[0]}, {ago(checkpoint[1], now)}" if checkpoint else _NOT_YET)),
        (state.waiting_messages, Field("Messages waiting", str(state.waiting_messages))),
        (pending, Field("Waits for 👍 or 👎", f"`{line(pending.branch, 100)}`" if pending else "")),
        (state.session.flow_override, Field("Next message", _override(state.session))),
    )
    return tuple(field for applies, field in fields if applies)


def _override(session: Session) -> str:
    return f"worked on as {session.flow_override.flow.value} (/flow)" if session.flow_override else ""


def _why(run: ExecutionRecord | None) -> tuple[Field, ...]:
    """Why flow, role and model are what they are, as far as somebody wrote it down."""
    reasons = run.reasons if run else Reasons()
    told = (("flow", reasons.flow), ("role", reasons.role), ("model", reasons.model))
    text = "\n".join(f"**{name}**: {line(reason, 300)}" for name, reason in told if reason)
    return (Field("Why", text[:FIELD_VALUE_LIMIT], inline=False),) if text else ()


def _inside(execution: str) -> tuple[Field, ...]:
    return (Field("Inside", f"[Open in Step Functions]({execution})", inline=False),) if execution else ()


def _turn(run: ExecutionRecord) -> str:
    reached = run.reached
    return f"{reached.turn}/{reached.max_turns}" if reached and reached.max_turns else str(run.turns)


def _log_line(record: ExecutionRecord, now: datetime) -> str:
    sign = _OUTCOMES[record.outcome] if record.outcome else "❓"
    how = record.outcome.value.replace("_", " ") if record.outcome else record.status.value
    turns = f" · {record.turns} turn{'s' if record.turns > 1 else ''}" if record.turns else ""
    cost = cost_lines.brief(record.cost, record.cloud)
    asked = f"**{line(record.request, 80) or 'a file'}** · <@{record.author_id}>"
    return f"{sign} {asked}\n-# {how} · {record.flow.value}{turns} · {cost} · {ago(record.created_at, now)}"


def _list(title: str, lines: Sequence[str], nothing: str) -> Post:
    embed = Embed(title=title, description="\n".join(lines) or nothing, colour=_Colour.PLAIN)
    return Post(embeds=(fit(embed),))
