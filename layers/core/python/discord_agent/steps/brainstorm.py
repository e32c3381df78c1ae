"""One voice of the flow ``branch``: a model that thinks of options on its own."""

import logging
from copy import replace

from msgspec import Struct

from discord_agent.domain import option_cards
from discord_agent.domain.conversation import Message, ModelRequest, Purpose, Role
from discord_agent.domain.errors import (
    DiscordRefused,
    DiscordUnavailable,
    InvalidEvent,
    InvalidReply,
    ModelRefused,
    OverBudget,
    Stopped,
)
from discord_agent.domain.options import Option, Proposal
from discord_agent.domain.posts import Post
from discord_agent.domain.redaction import Redactor
from discord_agent.domain.run import RunState, StepFailure, Voice
from discord_agent.domain.session import ExecutionRecord
from discord_agent.ports import Clock, Discord, Executions, Prompts, Proposals
from discord_agent.replies import BrainstormReply
from discord_agent.steps.asking import ask
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.spending import Purse, Spending, payer_of

_LOG = logging.getLogger(__name__)
_REASON = 300


class Brainstorm(Struct, frozen=True):
    """What no retry mends ends this voice and no other; what one may mend is left to the state machine."""

    spending: Spending
    prompts: Prompts
    discord: Discord
    executions: Executions
    proposals: Proposals
    chronicle: Chronicle
    clock: Clock
    redactor: Redactor

    def __call__(self, run: RunState, voice: Voice) -> Voice:
        """Keep the model's proposal, or say why there is none."""
        record = self.executions.get(run.execution_id)
        if record is None:
            raise InvalidEvent(f"no record of {run.execution_id}")
        # There is no lease to tell attempts apart by.
        key = f"{voice.number}/{self.clock.now().isoformat()}"
        with self.spending.purse(payer_of(run), Purpose.BRAINSTORM, key) as purse:
            try:
                proposal = self._ask(run, voice, record, purse)
            except (ModelRefused, InvalidReply, OverBudget, Stopped) as error:
                voice = replace(voice, failure=StepFailure(type(error).__name__, str(error)[:_REASON]))
                card = option_cards.silent(run, voice)
            else:
                self.proposals.keep(run, voice.number, proposal)
                voice = replace(voice, model=proposal.model)
                card = option_cards.proposed(run, voice, proposal)
        voice = replace(voice, usage=purse.usage, cost=purse.cost)
        self._tell(run, voice)
        show(self.discord, run, voice, card)
        return voice

    def _ask(self, run: RunState, voice: Voice, record: ExecutionRecord, purse: Purse) -> Proposal:
        question = self.prompts.render(
            "brainstorm_request", author=record.author_name, content=record.request, brief=record.brief
        )
        request = ModelRequest(
            Purpose.BRAINSTORM,
            voice.model,
            (Message(Role.SYSTEM, self.prompts.render("brainstorm")), Message(Role.USER, question)),
        )
        reply, spent = ask(
            purse, request, BrainstormReply, stop_requested=lambda: self.executions.stop_requested(run.execution_id)
        )
        # Another of the tier may have stood in.
        return Proposal(spent.model, tuple(self._clean(approach.option()) for approach in reply.approaches))

    def _clean(self, option: Option) -> Option:
        return Option(self.redactor.text(option.title), self.redactor.text(option.text))

    def _tell(self, run: RunState, voice: Voice) -> None:
        self.chronicle.note(
            run.thread_id,
            run.execution_id,
            "brainstorm",
            cost=voice.cost,
            model=voice.model,
            error=voice.failure.error if voice.failure else None,
        )


def show(discord: Discord, run: RunState, voice: Voice, post: Post) -> None:
    """Bring a voice's card up to date; what Discord refuses never costs a proposal."""
    if voice.card_message_id is None:
        return
    try:
        discord.edit(run.channel_id, voice.card_message_id, post)
    except (DiscordRefused, DiscordUnavailable) as error:
        _LOG.warning("the card of voice %s of %s was not edited: %s", voice.number, run.execution_id, error)
