"""What the flows without an agent have in common: one completion, one answer where it was asked, one end."""

from collections.abc import Callable
from copy import replace

from msgspec import Struct

from discord_agent.domain import cards, chunking, option_cards
from discord_agent.domain.conversation import ModelRequest, Purpose
from discord_agent.domain.errors import InvalidEvent, OverBudget, Stopped
from discord_agent.domain.options import Option
from discord_agent.domain.posts import Post
from discord_agent.domain.redaction import Redactor
from discord_agent.domain.run import Next, Outcome, RunState
from discord_agent.domain.session import ExecutionRecord, ExecutionStatus
from discord_agent.ports import Clock, Discord, Executions
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.spending import Purse, Spending, payer_of, waits_for_money
from discord_agent.steps.terminal import Terminal


class Answering(Struct, frozen=True):
    """No tools, no lease, no thread of its own."""

    spending: Spending
    discord: Discord
    executions: Executions
    terminal: Terminal
    chronicle: Chronicle
    clock: Clock
    redactor: Redactor

    def begin(self, run: RunState) -> ExecutionRecord:
        """Take up a request, and show it; one that was answered by an earlier attempt is left as it is."""
        record = self.executions.get(run.execution_id)
        if record is None:
            raise InvalidEvent(f"no record of {run.execution_id}")
        if record.terminal_message_id is None:
            self.executions.update(run.execution_id, status=ExecutionStatus.PROCESSING)
            self.chronicle.started(run, record)
            self.discord.typing(run.channel_id)
        return record

    def answer(
        self, run: RunState, purpose: Purpose, request: Callable[[Purse], ModelRequest], *, offer: str = ""
    ) -> RunState:
        """Ask once and post the answer.

        ``request`` says what to ask, and pays what that takes; ``offer`` is the label of a button that has an agent
        carry the answer out.
        """
        record = self.executions.get(run.execution_id) if offer else None
        if record is not None and record.options:
            # An attempt that died may have shown it: the button must carry out what stands above it.
            return self._post(replace(run, summary=record.options[0].text, outcome=Outcome.DONE, next=Next.END), offer)
        # There is no lease to tell attempts apart by.
        purse = self.spending.purse(payer_of(run), purpose, self.clock.now().isoformat())
        try:
            with purse:
                reply = purse.complete(
                    request(purse), stop_requested=lambda: self.executions.stop_requested(run.execution_id)
                )
        except Stopped:
            return self.end(replace(run, cost=run.cost + purse.cost, outcome=Outcome.STOPPED))
        except OverBudget as error:
            spent = replace(waits_for_money(run, error), cost=run.cost + purse.cost)
            return self.end(replace(spent, outcome=Outcome.OUT_OF_BUDGET))
        run = replace(
            run,
            model=reply.model,
            # Before it is cut into messages: half a secret is not recognised later.
            summary=self.redactor.text(reply.message.text).strip(),
            usage=run.usage + purse.usage,
            cost=run.cost + purse.cost,
            outcome=Outcome.DONE,
            next=Next.END,
        )
        return self._post(run, offer)

    def _post(self, run: RunState, offer: str) -> RunState:
        run = self.terminal.settled(run)
        *earlier, last = chunking.posts(run.summary or cards.NO_ANSWER)
        if offer and run.summary:
            option = Option(offer, run.summary)
            self.executions.update(run.execution_id, options=(option,))
            last = replace(last, buttons=option_cards.option_buttons(run.execution_id, (option,)))
        first, *more = (*earlier, last)
        self.terminal.post(run, run.channel_id, (replace(first, reply_to=run.message_id), *more))
        return run

    def end(self, run: RunState) -> RunState:
        """End without an answer; there is no machine here in which a run could wait."""
        run = self.terminal.settled(replace(run, next=Next.END))
        self.terminal.post(run, run.channel_id, (Post(cards.ending(run, ""), buttons=cards.retry_buttons(run)),))
        return run
