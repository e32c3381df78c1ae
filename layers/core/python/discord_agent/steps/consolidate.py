"""The last step of the flow ``branch``: the proposals of all voices become a few options that people choose from."""

from collections.abc import Sequence
from copy import replace
from functools import reduce

from msgspec import Struct

from discord_agent.domain import cards, option_cards
from discord_agent.domain.conversation import Message, ModelRequest, Purpose, Role
from discord_agent.domain.errors import (
    InvalidEvent,
    InvalidReply,
    ModelRefused,
    ModelUnavailable,
    NoProposals,
    OverBudget,
    Stopped,
)
from discord_agent.domain.options import Option, Proposal
from discord_agent.domain.posts import Post
from discord_agent.domain.reasons import why
from discord_agent.domain.redaction import Redactor
from discord_agent.domain.run import Next, Outcome, RunState, Voice
from discord_agent.domain.session import ExecutionRecord
from discord_agent.ports import Clock, Discord, Executions, Prompts, Proposals
from discord_agent.replies import ConsolidateReply
from discord_agent.steps.asking import ask
from discord_agent.steps.brainstorm import show
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.spending import Spending, payer_of
from discord_agent.steps.terminal import Terminal


class _Advice(Struct, frozen=True):
    """What people are shown besides the options."""

    options: tuple[Option, ...]
    recommendation: str = ""
    question: str = ""
    notes: tuple[str, ...] = ()


class Consolidate(Struct, frozen=True):
    """Nothing that was paid for is lost: without a consolidator the proposals themselves are shown."""

    spending: Spending
    prompts: Prompts
    discord: Discord
    executions: Executions
    proposals: Proposals
    terminal: Terminal
    chronicle: Chronicle
    clock: Clock
    redactor: Redactor

    def __call__(self, run: RunState) -> RunState:
        """End the run with its options; NoProposals when no voice has any."""
        record = self.executions.get(run.execution_id)
        if record is None:
            raise InvalidEvent(f"no record of {run.execution_id}")
        if record.terminal_message_id is not None:
            return replace(run, outcome=record.outcome, next=Next.END)
        run = reduce(_paid, run.voices, run)
        self._show_silent(run)
        if self.executions.stop_requested(run.execution_id):
            return self._end(replace(run, outcome=Outcome.STOPPED))
        heard = tuple(self.proposals.load(run, voice.number) for voice in run.voices if voice.failure is None)
        if not heard:
            return self._end_without(run)
        if record.options:
            # An attempt that died may have shown them: a button must carry out what stands beside it.
            return self._post(replace(run, outcome=Outcome.DONE, next=Next.END), _Advice(record.options))
        try:
            run, advice = self._advice(run, record, heard)
        except Stopped:
            return self._end(replace(run, outcome=Outcome.STOPPED))
        return self._post(replace(run, outcome=Outcome.DONE, next=Next.END), advice)

    def _show_silent(self, run: RunState) -> None:
        """A voice that a catcher ended could not say so itself."""
        for voice in run.voices:
            if voice.failure is not None:
                show(self.discord, run, voice, option_cards.silent(run, voice))

    def _end_without(self, run: RunState) -> RunState:
        failures = [voice.failure for voice in run.voices if voice.failure is not None]
        errors = {failure.error for failure in failures}
        if errors == {OverBudget.__name__}:
            return self._end(replace(run, outcome=Outcome.OUT_OF_BUDGET, question=failures[0].cause))
        raise NoProposals(", ".join(sorted(errors)))

    def _advice(self, run: RunState, record: ExecutionRecord, heard: Sequence[Proposal]) -> tuple[RunState, _Advice]:
        notes = tuple(
            f"⚠️ {voice.model} gave no options. {why(voice.failure)}"
            for voice in run.voices
            if voice.failure is not None
        )
        # There is no lease to tell attempts apart by.
        with self.spending.purse(payer_of(run), Purpose.CONSOLIDATE, self.clock.now().isoformat()) as purse:
            try:
                reply, spent = ask(
                    purse,
                    self._request(run, record, heard),
                    ConsolidateReply,
                    stop_requested=lambda: self.executions.stop_requested(run.execution_id),
                )
            except (ModelUnavailable, ModelRefused, InvalidReply, OverBudget) as error:
                reason = f"{type(error).__name__}: {error}"
                self.chronicle.note(run.thread_id, run.execution_id, "consolidation_failed", reason=reason)
                note = f"⚠️ {run.model} could not merge the proposals; these are those of {heard[0].model} alone."
                advice = _Advice(heard[0].options, notes=(*notes, note))
            else:
                options = tuple(self._clean(approach.option()) for approach in reply.options)
                clean = self.redactor.text
                run = replace(run, model=spent.model)
                advice = _Advice(options, clean(reply.recommendation), clean(reply.question), notes)
        return replace(run, usage=run.usage + purse.usage, cost=run.cost + purse.cost), advice

    def _request(self, run: RunState, record: ExecutionRecord, heard: Sequence[Proposal]) -> ModelRequest:
        question = self.prompts.render(
            "consolidate_request",
            author=record.author_name,
            content=record.request,
            brief=record.brief,
            proposals=heard,
        )
        return ModelRequest(
            Purpose.CONSOLIDATE,
            run.model,
            (Message(Role.SYSTEM, self.prompts.render("consolidate")), Message(Role.USER, question)),
        )

    def _clean(self, option: Option) -> Option:
        return Option(self.redactor.text(option.title), self.redactor.text(option.text))

    def _post(self, run: RunState, advice: _Advice) -> RunState:
        run = self.terminal.settled(run)
        # The buttons work as soon as people see them.
        self.executions.update(run.execution_id, options=advice.options)
        first, *more = option_cards.options(
            run,
            advice.options,
            recommendation=advice.recommendation,
            question=advice.question,
            notes=advice.notes,
        )
        self.terminal.post(run, run.channel_id, (replace(first, reply_to=run.message_id), *more))
        return run

    def _end(self, run: RunState) -> RunState:
        run = self.terminal.settled(replace(run, next=Next.END))
        self.terminal.post(run, run.channel_id, (Post(cards.ending(run, ""), buttons=cards.retry_buttons(run)),))
        return run


def _paid(run: RunState, voice: Voice) -> RunState:
    return replace(run, usage=run.usage + voice.usage, cost=run.cost + voice.cost, cloud=run.cloud + voice.cloud)
