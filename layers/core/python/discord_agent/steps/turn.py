"""A turn: rounds of model and tools until a control tool, a limit or a stop; a retried turn resumes from its journal."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from discord_agent.domain import cards, confidence, events, signals
from discord_agent.domain.control_tools import Asked, Control, Finished, GaveUp
from discord_agent.domain.conversation import Message, Role, ToolCall, ToolResult
from discord_agent.domain.errors import (
    Conflict,
    DiscordRefused,
    DiscordUnavailable,
    InvalidEvent,
    LeaseLost,
    Stopped,
)
from discord_agent.domain.ids import ChannelId
from discord_agent.domain.money import Cost
from discord_agent.domain.redaction import Redactor
from discord_agent.domain.run import Next, Outcome, RunState, TurnStatus
from discord_agent.domain.session import Lease
from discord_agent.domain.workspace import Head, Manifest
from discord_agent.ports import (
    Clock,
    Context,
    Discord,
    Executions,
    Journal,
    Leases,
    Prompts,
    Workspaces,
)
from discord_agent.steps.card import Card
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.holding import hold
from discord_agent.steps.rounds import Onlooker, PlayedRound, Rounds

_PREVIEW = 500
_MOST_FILES = 100


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """When a turn ends although the model would go on: after ``rounds``, or ``seconds`` after it began."""

    rounds: int = 5
    seconds: float = 600


DEFAULT_LIMITS: Final = TurnLimits()
_PATTERNS_ONLY: Final = Redactor()


@dataclass(frozen=True, slots=True)
class Turn:
    """The step between ``plan`` and ``escalation``, repeated.

    What it passes on to people and records is redacted before any of it is cut: half a secret is not recognised later.
    The model's own conversation stays as it is.
    """

    rounds: Rounds
    workspaces: Workspaces
    journal: Journal
    leases: Leases
    executions: Executions
    discord: Discord
    prompts: Prompts
    chronicle: Chronicle
    clock: Clock
    limits: TurnLimits = DEFAULT_LIMITS
    redactor: Redactor = _PATTERNS_ONLY

    def __call__(self, run: RunState) -> RunState:
        """Play one turn; raises LeaseLost when a newer attempt or another run took over."""
        lease = hold(self.leases, run)
        if run.next is Next.CLARIFY:
            self.rounds.sessions.update(run.thread_id, lease=lease, parked=None)
            self._close_question(run)
        number = run.turn + 1
        context = self.journal.load_context(run)
        if context is None:
            raise InvalidEvent(f"{run.execution_id} has no plan to work from")
        head, manifest = self._workspace(run)
        card = Card(self.discord, self.clock, run)
        card.say(cards.turn_line(number, run))
        played, stopped = self._play(run, lease, number, context, manifest, card)
        after = _advance(run, number, played, self.redactor, stopped=stopped)
        after = self._save(run, card.keep(after), lease, head, manifest, context, played)
        card.say(cards.turn_done_line(after, files=len(_paths(played))))
        self._tell(after, played)
        return card.keep(after)

    def _close_question(self, run: RunState) -> None:
        """Take the buttons off an answered question; what Discord refuses never fails a run."""
        record = self.executions.get(run.execution_id)
        if record is None or record.question_message_id is None:
            return
        try:
            self.discord.edit(ChannelId(run.thread_id), record.question_message_id, cards.clarified(run))
        except (DiscordRefused, DiscordUnavailable) as error:
            self.chronicle.note(run.thread_id, run.execution_id, "card_refused", reason=str(error))

    def _workspace(self, run: RunState) -> tuple[Head, Manifest]:
        head = self.workspaces.head(run.thread_id)
        if head is None:
            raise InvalidEvent(f"thread {run.thread_id} has no workspace")
        return head, self.workspaces.load(run.thread_id, run.manifest_id or head.manifest_id)

    def _play(
        self, run: RunState, lease: Lease, number: int, context: Context, manifest: Manifest, card: Card
    ) -> tuple[tuple[PlayedRound, ...], bool]:
        """The rounds of the turn, and whether somebody stopped it."""
        deadline = self.clock.monotonic() + self.limits.seconds
        stop_requested = self._stop_check(run, card)
        onlooker = Onlooker(stop_requested, lambda calls: card.say(*map(self._tool_line, calls)), card.refresh)
        journalled = self.journal.rounds(run, number)
        played: list[PlayedRound] = []
        while len(played) < self.limits.rounds:
            index = len(played)
            messages = context.messages + tuple(message for item in played for message in item.messages)
            if index < len(journalled):
                latest = self.rounds.replay(run, lease, number, index, journalled[index], manifest)
            elif context.turn >= number or self.clock.monotonic() >= deadline or stop_requested():
                break
            else:
                try:
                    latest = self.rounds.play(run, lease, number, index, messages, manifest, onlooker)
                except Stopped:
                    break
            played.append(latest)
            manifest = latest.manifest
            is_newest = len(played) >= len(journalled)
            if is_newest:
                # The earlier attempt may have died before it noted its last round.
                self._note_round(run, number, index, latest)
            if is_newest and self._ends_turn(run, latest):
                break
        finished = bool(played) and isinstance(played[-1].control, Finished) and self._ends_turn(run, played[-1])
        return tuple(played), not finished and stop_requested()

    def _tool_line(self, call: ToolCall) -> str:
        return cards.tool_line(replace(call, arguments=self.redactor.text(call.arguments)))

    def _ends_turn(self, run: RunState, latest: PlayedRound) -> bool:
        """Finishing counts only for a model that has heard everything people said."""
        if isinstance(latest.control, Finished):
            return not self.rounds.has_unheard(run)
        return latest.control is not None or not latest.reply.message.tool_calls

    def _stop_check(self, run: RunState, card: Card) -> Callable[[], bool]:
        def stop_requested() -> bool:
            card.refresh()
            return self.executions.stop_requested(run.execution_id)

        return stop_requested

    def _save(
        self,
        before: RunState,
        after: RunState,
        lease: Lease,
        head: Head,
        manifest: Manifest,
        context: Context,
        played: tuple[PlayedRound, ...],
    ) -> RunState:
        """Store workspace, messages and figures; each write is refused to an attempt that lost the lease."""
        if not self.leases.holds(lease):
            raise LeaseLost(f"a newer attempt works on turn {after.turn} of {after.execution_id}")
        latest = played[-1].manifest if played else manifest
        if latest != manifest:
            head = self._save_workspace(after, latest, head)
        if context.turn < after.turn:
            messages = context.messages + tuple(message for item in played for message in item.messages)
            if after.status is TurnStatus.CONTINUE and after.outcome is None and _ended_in_prose(played):
                messages = (*messages, Message(Role.USER, self.prompts.render("go_on")))
            self.journal.save_context(before, replace(context, messages=messages, turn=after.turn))
        after = replace(after, manifest_id=head.manifest_id)
        self.executions.update(
            after.execution_id,
            lease=lease,
            turns=after.turn,
            usage=after.usage,
            cost=after.cost,
            manifest_id=after.manifest_id,
            reached=after,
        )
        return after

    def _save_workspace(self, run: RunState, manifest: Manifest, head: Head) -> Head:
        try:
            return self.workspaces.save(run.thread_id, manifest, expected=head)
        except Conflict as error:
            current = self.workspaces.head(run.thread_id)
            if current is not None and self.workspaces.load(run.thread_id, current.manifest_id) == manifest:
                return current
            raise LeaseLost(f"the workspace of thread {run.thread_id} moved on") from error

    def _note_round(self, run: RunState, number: int, index: int, played: PlayedRound) -> None:
        calls = {call.id: call for call in played.reply.message.tool_calls}
        self.chronicle.note(
            run.thread_id,
            run.execution_id,
            "round",
            cost=played.reply.cost,
            turn=number,
            round=index + 1,
            model=played.reply.model,
            text=self._preview(played.reply.message.text),
            heard=len(played.heard),
            toolCalls=[self._described(calls[result.call_id], result) for result in played.results],
        )

    def _described(self, call: ToolCall, result: ToolResult) -> dict[str, object]:
        return {
            "tool": call.name,
            "input": self._preview(call.arguments),
            "output": self._preview(result.text),
            "success": result.ok,
            "durationMs": result.duration_ms,
        }

    def _preview(self, text: str) -> str:
        return self.redactor.text(text)[:_PREVIEW]

    def _tell(self, run: RunState, played: tuple[PlayedRound, ...]) -> None:
        self.chronicle.note(
            run.thread_id,
            run.execution_id,
            "turn",
            cost=_cost(played),
            turn=run.turn,
            rounds=len(played),
            model=run.model,
            agentRole=run.role,
            confidence=run.confidence,
            status=run.status,
            fileChanges=list(_paths(played)),
            errorMessage=run.signals.last_error,
        )
        self.chronicle.announce(
            run.thread_id, events.TURN_COMPLETED, turn=run.turn, confidence=run.confidence, status=run.status
        )


def _advance(
    run: RunState, number: int, played: tuple[PlayedRound, ...], redactor: Redactor, *, stopped: bool
) -> RunState:
    """The run after its rounds."""
    control = _redacted(played[-1].control, redactor) if played else None
    status = _status(control)
    work = [replace(result, text=redactor.text(result.text)) for item in played for result in item.work]
    moved = signals.after_turn(run.signals, work, status)
    reported = _reported(control, run.reported_confidence)
    score = confidence.score(reported, moved, turn=number)
    changed = tuple(dict.fromkeys((*run.files_changed, *_paths(played))))[:_MOST_FILES]
    return replace(
        run,
        turn=number,
        rounds=run.rounds + len(played),
        signals=signals.after_score(moved, score),
        confidence=score,
        reported_confidence=reported,
        status=status,
        usage=sum((item.reply.usage for item in played), run.usage),
        cost=sum((item.reply.cost for item in played), run.cost),
        files_changed=changed,
        question=control.question if isinstance(control, Asked) else _reason(control),
        options=control.options if isinstance(control, Asked) else (),
        summary=control.summary if isinstance(control, Finished) else run.summary,
        send_files=control.files if isinstance(control, Finished) else run.send_files,
        outcome=Outcome.STOPPED if stopped else None,
        next=Next.EVALUATE,
    )


def _redacted(control: Control | None, redactor: Redactor) -> Control | None:
    """What the control call tells people, without secrets."""
    match control:
        case Finished():
            return replace(control, summary=redactor.text(control.summary))
        case Asked():
            options = tuple(map(redactor.text, control.options))
            return replace(control, question=redactor.text(control.question), options=options)
        case GaveUp():
            return replace(control, reason=redactor.text(control.reason))
        case None:
            return None


def _status(control: Control | None) -> TurnStatus:
    match control:
        case Finished():
            return TurnStatus.COMPLETE
        case Asked():
            return TurnStatus.NEEDS_CLARIFICATION
        case GaveUp():
            return TurnStatus.STUCK
        case None:
            return TurnStatus.CONTINUE


def _reported(control: Control | None, before: int) -> int:
    return before if control is None or control.confidence is None else control.confidence


def _reason(control: Control | None) -> str:
    return control.reason if isinstance(control, GaveUp) else ""


def _paths(played: tuple[PlayedRound, ...]) -> tuple[str, ...]:
    changed = (path for item in played for result in item.work for path in result.facts.get("paths_changed", ()))
    return tuple(dict.fromkeys(changed))


def _cost(played: tuple[PlayedRound, ...]) -> Cost:
    return sum((item.reply.cost for item in played), Cost())


def _ended_in_prose(played: tuple[PlayedRound, ...]) -> bool:
    return bool(played) and not played[-1].reply.message.tool_calls
