"""A turn: rounds of model and tools until a control tool, a limit or a stop; a retried turn resumes from its journal."""

from collections.abc import Callable, Sequence
from copy import replace
from typing import Final

from msgspec import Struct

from discord_agent.domain import cards
from discord_agent.domain.card_lines import stand_in_lines, warning_line
from discord_agent.domain.control_tools import Finished
from discord_agent.domain.conversation import Message, Purpose, Role, ToolCall
from discord_agent.domain.errors import (
    Conflict,
    ContextTooLong,
    DiscordRefused,
    DiscordUnavailable,
    InvalidEvent,
    LeaseLost,
    OverBudget,
    Stopped,
)
from discord_agent.domain.ids import ChannelId
from discord_agent.domain.money import Cost, Usage, Usd
from discord_agent.domain.redaction import Redactor
from discord_agent.domain.run import Next, RunState, TurnStatus, Waiting
from discord_agent.domain.session import Lease
from discord_agent.domain.workspace import Head, Manifest
from discord_agent.ports import (
    Clock,
    Context,
    Discord,
    Executions,
    Journal,
    JournaledRound,
    Leases,
    Prompts,
    Sessions,
    Workspaces,
)
from discord_agent.steps.advancing import Played, advance
from discord_agent.steps.card import Card
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.compaction import Compaction
from discord_agent.steps.holding import hold
from discord_agent.steps.rounds import Onlooker, PlayedRound, Rounds
from discord_agent.steps.spending import Spending, payer_of, waits_for_money
from discord_agent.steps.turn_notes import TurnNotes


class TurnLimits(Struct, frozen=True):
    """When a turn ends although the model would go on: after ``rounds``, or ``seconds`` after it began."""

    rounds: int = 5
    seconds: float = 600


DEFAULT_LIMITS: Final = TurnLimits()
_PATTERNS_ONLY: Final = Redactor()


class _Attempt(Struct, frozen=True):
    """One attempt at a turn, and what it starts from."""

    run: RunState
    lease: Lease
    number: int
    card: Card
    head: Head
    manifest: Manifest
    context: Context
    journalled: tuple[JournaledRound, ...]

    @property
    def saved(self) -> RunState | None:
        """The run after the turn, if an earlier attempt came so far: it is not to be prolonged then."""
        return self.context.reached if self.context.turn >= self.number else None

    @property
    def was_compacted(self) -> bool:
        """Whether the conversation was shortened for this turn, by this attempt or an earlier one."""
        reached = self.context.reached
        return reached is not None and reached.compacted_at == self.number


class Turn(Struct, frozen=True):
    """The step between ``plan`` and ``escalation``, repeated.

    What it passes on to people and records is redacted before any of it is cut: half a secret is not recognised later.
    The model's own conversation stays as it is.
    """

    rounds: Rounds
    spending: Spending
    compaction: Compaction
    workspaces: Workspaces
    journal: Journal
    leases: Leases
    sessions: Sessions
    executions: Executions
    discord: Discord
    prompts: Prompts
    chronicle: Chronicle
    clock: Clock
    limits: TurnLimits = DEFAULT_LIMITS
    redactor: Redactor = _PATTERNS_ONLY

    @property
    def _notes(self) -> TurnNotes:
        return TurnNotes(self.chronicle, self.redactor)

    def __call__(self, run: RunState) -> RunState:
        """Play one turn; raises LeaseLost when a newer attempt or another run took over."""
        lease = hold(self.leases, run)
        if run.next is Next.CLARIFY:
            run = self._woken(run, lease)
        attempt = self._begun(run, lease)
        saved = attempt.saved
        if saved is not None:
            return self._end(attempt, saved, self._replay(attempt))
        try:
            attempt = self._fitted(attempt, force=run.must_compact)
            attempt, played = self._played(attempt)
        except OverBudget as error:
            # Nothing was played: the turn is not used up, and begins anew once there is money.
            parked = replace(waits_for_money(run, error), status=TurnStatus.NEEDS_CLARIFICATION, next=Next.EVALUATE)
            return attempt.card.keep(parked)
        except Stopped:
            played = Played(stopped=True)
        after = advance(attempt.run, attempt.number, played, self.redactor)
        return self._end(attempt, self._save(attempt, attempt.card.keep(after), played), played)

    def _woken(self, run: RunState, lease: Lease) -> RunState:
        """A parked run goes on: take its mark off the thread and the buttons off its question."""
        self.sessions.update(run.thread_id, lease=lease, parked=None)
        record = self.executions.get(run.execution_id)
        if record is not None and record.question_message_id is not None:
            try:
                self.discord.edit(ChannelId(run.thread_id), record.question_message_id, cards.clarified(run))
            except (DiscordRefused, DiscordUnavailable) as error:
                # What Discord refuses never fails a run.
                self.chronicle.note(run.thread_id, run.execution_id, "card_refused", reason=str(error))
        woken = replace(run, waiting=Waiting.ANSWER, needed=Usd(), question="", options=())
        return replace(woken, status=TurnStatus.CONTINUE, next=Next.TURN)

    def _begun(self, run: RunState, lease: Lease) -> _Attempt:
        number = run.turn + 1
        context = self.journal.load_context(run)
        if context is None:
            raise InvalidEvent(f"{run.execution_id} has no plan to work from")
        head = self.workspaces.head(run.thread_id)
        if head is None:
            raise InvalidEvent(f"thread {run.thread_id} has no workspace")
        manifest = self.workspaces.load(run.thread_id, run.manifest_id or head.manifest_id)
        card = Card(self.discord, self.clock, run, self.redactor.text)
        card.detail(cards.turn_line(number, run))
        run = self._with_notes(run, card)
        return _Attempt(run, lease, number, card, head, manifest, context, self.journal.rounds(run, number))

    def _with_notes(self, run: RunState, card: Card) -> RunState:
        """The run that has told people, once, which of its tools are not to be had."""
        news = tuple(note for note in self.rounds.toolbox.notes(run.thread_id) if note not in run.told)
        for note in news:
            self.chronicle.note(run.thread_id, run.execution_id, "tools_missing", turn=run.turn + 1, reason=note)
            card.say(warning_line(note))
        return replace(run, told=(*run.told, *news))

    def _fitted(self, attempt: _Attempt, *, force: bool) -> _Attempt:
        """The attempt with a conversation that fits into the model: shortened, if it is due, before the first round."""
        run, context, number = attempt.run, attempt.context, attempt.number
        if attempt.was_compacted and context.reached is not None:
            done = context.reached
            run = replace(run, compacted_at=number, must_compact=False, cost=done.cost, usage=done.usage)
            return replace(attempt, run=run)
        if attempt.journalled:
            return attempt
        with self.spending.purse(payer_of(run), Purpose.COMPACT, f"{number}/{attempt.lease.fence}") as purse:
            shortened = self.compaction(
                run, context.messages, purse, force=force, stop_requested=self._stop_check(attempt)
            )
        if shortened is None:
            return attempt
        cost, usage = run.cost + purse.cost, run.usage + purse.usage
        run = replace(run, compacted_at=number, must_compact=False, cost=cost, usage=usage)
        self._hold(attempt)
        saved = self.journal.save_context(run, replace(context, messages=shortened, reached=run))
        attempt.card.say(cards.compaction_line(len(context.messages), len(shortened)))
        return replace(attempt, run=run, context=saved)

    def _played(self, attempt: _Attempt) -> tuple[_Attempt, Played]:
        """The rounds of the turn; a conversation that is too long from the start is shortened first, once."""
        try:
            return attempt, self._play(attempt)
        except ContextTooLong:
            shorter = attempt if attempt.was_compacted else self._fitted(attempt, force=True)
            if shorter is attempt:
                raise
            return shorter, self._play(shorter)

    def _play(self, attempt: _Attempt) -> Played:
        played = self._replay(attempt)
        goes_on = not (played.rounds and self._ends_turn(attempt.run, played.rounds))
        lost = self._settle_lost(attempt, played.rounds, may_be_in_flight=goes_on)
        played = replace(played, cost=played.cost + lost)
        if goes_on:
            played = self._play_on(attempt, played)
        has_finished = isinstance(played.control, Finished) and self._ends_turn(attempt.run, played.rounds)
        return replace(played, stopped=not has_finished and self._stop_check(attempt)())

    def _replay(self, attempt: _Attempt) -> Played:
        """The rounds that earlier attempts journalled."""
        run, number, manifest = attempt.run, attempt.number, attempt.manifest
        played: list[PlayedRound] = []
        for index, entry in enumerate(attempt.journalled):
            played.append(self.rounds.replay(run, attempt.lease, number, index, entry, manifest))
            manifest = played[-1].manifest
        if played:
            # The earlier attempt may have died before it noted its last round.
            self._notes.round(run, number, len(played) - 1, played[-1])
        cost = sum((item.reply.cost for item in played), Cost())
        return Played(tuple(played), cost, sum((item.reply.usage for item in played), Usage()))

    def _play_on(self, attempt: _Attempt, played: Played) -> Played:
        """Further rounds, until the turn ends in one of its many ways."""
        run, lease, number = attempt.run, attempt.lease, attempt.number
        deadline = self.clock.monotonic() + self.limits.seconds
        stop_requested, card = self._stop_check(attempt), attempt.card
        onlooker = Onlooker(
            stop_requested, lambda calls: card.detail(*map(self._tool_line, calls)), card.refresh, card.stream
        )
        rounds, too_long = list(played.rounds), False
        with self.spending.purse(payer_of(run), Purpose.TURN, f"{number}/{lease.fence}") as purse:
            while len(rounds) < self.limits.rounds and self.clock.monotonic() < deadline and not stop_requested():
                index = len(rounds)
                manifest = rounds[-1].manifest if rounds else attempt.manifest
                messages = self._messages(attempt.context.messages, rounds)
                try:
                    latest = self.rounds.play(run, lease, number, index, messages, manifest, purse, onlooker)
                except Stopped:
                    break
                except (OverBudget, ContextTooLong) as error:
                    if not rounds:
                        raise
                    too_long = isinstance(error, ContextTooLong)
                    break
                rounds.append(latest)
                self._notes.round(run, number, index, latest)
                for line in stand_in_lines([item.reply for item in rounds]):
                    card.say(line)
                if self._ends_turn(run, rounds):
                    break
        cost, usage = played.cost + purse.cost, played.usage + purse.usage
        return Played(tuple(rounds), cost, usage, too_long=too_long)

    def _settle_lost(self, attempt: _Attempt, replayed: Sequence[PlayedRound], *, may_be_in_flight: bool) -> Cost:
        """Charge what earlier attempts spent: what is journalled, and a call that may have been under way when one died."""
        run, entries, prefix = attempt.run, attempt.journalled, f"{attempt.number}/"
        lost = self.spending.lost(payer_of(run), Purpose.TURN, prefix)
        if not lost:
            return Cost()
        died_while_tools_ran = bool(entries) and entries[-1].results is None
        in_flight = Cost()
        if may_be_in_flight and not died_while_tools_ran:
            request = self.rounds.request(run, self._messages(attempt.context.messages, replayed))
            bound = self.spending.estimate(request)
            in_flight = Cost(estimated=bound or Usd(), partial=bound is None)
        paid: dict[str, Cost] = {}
        for entry in entries:
            paid[entry.paid_from] = paid.get(entry.paid_from, Cost()) + entry.reply.cost
        self.spending.settle_lost(lost, paid, in_flight)
        return in_flight

    def _messages(self, messages: tuple[Message, ...], rounds: Sequence[PlayedRound]) -> tuple[Message, ...]:
        """The conversation with what rounds added; a model that said nothing is told how to go on."""
        for item in rounds:
            messages = item.onto(messages)
            if item.is_empty:
                messages = (*messages, self._go_on())
        return messages

    def _go_on(self) -> Message:
        return Message(Role.USER, self.prompts.render("go_on"))

    def _tool_line(self, call: ToolCall) -> str:
        return cards.tool_line(replace(call, arguments=self.redactor.text(call.arguments)))

    def _ends_turn(self, run: RunState, rounds: Sequence[PlayedRound]) -> bool:
        """Finishing counts only for a model that has heard everything people said."""
        latest = rounds[-1]
        if isinstance(latest.control, Finished):
            return not self.rounds.hearing.has_unheard(run)
        if latest.is_empty:
            return len(rounds) > 1 and rounds[-2].is_empty
        return latest.control is not None or not latest.reply.message.tool_calls

    def _stop_check(self, attempt: _Attempt) -> Callable[[], bool]:
        def stop_requested() -> bool:
            attempt.card.refresh()
            return self.executions.stop_requested(attempt.run.execution_id)

        return stop_requested

    def _hold(self, attempt: _Attempt) -> None:
        if not self.leases.holds(attempt.lease):
            raise LeaseLost(f"a newer attempt works on turn {attempt.number} of {attempt.run.execution_id}")

    def _save(self, attempt: _Attempt, after: RunState, played: Played) -> RunState:
        """Store workspace and conversation; both writes are refused to an attempt that lost the lease."""
        self._hold(attempt)
        latest, head = played.rounds[-1].manifest if played.rounds else attempt.manifest, attempt.head
        if latest != attempt.manifest:
            head = self._save_workspace(after, latest, head)
        after = replace(after, manifest_id=head.manifest_id)
        messages = self._messages(attempt.context.messages, played.rounds)
        if after.status is TurnStatus.CONTINUE and after.outcome is None and _ended_in_prose(played):
            messages = (*messages, self._go_on())
        saved = replace(attempt.context, messages=messages, turn=after.turn, reached=after)
        self.journal.save_context(after, saved)
        return after

    def _end(self, attempt: _Attempt, after: RunState, played: Played) -> RunState:
        """Note how far the run came and tell of it; repeated by an attempt that finds the turn saved."""
        self.executions.update(
            after.execution_id,
            lease=attempt.lease,
            turns=after.turn,
            usage=after.usage,
            cost=after.cost,
            manifest_id=after.manifest_id,
            reached=after,
        )
        attempt.card.say(cards.turn_done_line(after, files=len(played.paths)))
        self._notes.turn(after, played)
        return attempt.card.keep(after)

    def _save_workspace(self, run: RunState, manifest: Manifest, head: Head) -> Head:
        try:
            return self.workspaces.save(run.thread_id, manifest, expected=head)
        except Conflict as error:
            current = self.workspaces.head(run.thread_id)
            if current is not None and self.workspaces.load(run.thread_id, current.manifest_id) == manifest:
                return current
            raise LeaseLost(f"the workspace of thread {run.thread_id} moved on") from error


def _ended_in_prose(played: Played) -> bool:
    """Whether the model fell silent without saying that it is done."""
    latest = played.rounds[-1] if played.rounds else None
    return latest is not None and latest.was_asked and not latest.is_empty and not latest.reply.message.tool_calls
