"""The first step of the flow ``branch``: what exactly options are sought for, and by which models."""

from copy import replace

from msgspec import Struct

from discord_agent.domain import option_cards, routing
from discord_agent.domain.conversation import Message, ModelRequest, Purpose, Role
from discord_agent.domain.errors import InvalidEvent, InvalidReply, ModelRefused, ModelUnavailable, OverBudget, Stopped
from discord_agent.domain.ids import MessageId, ModelName
from discord_agent.domain.run import RunState, Voice
from discord_agent.domain.session import ExecutionRecord, ExecutionStatus
from discord_agent.ports import Clock, Discord, Executions, Models, Prompts, Sessions
from discord_agent.replies import FrameReply
from discord_agent.steps.asking import ask
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.recall import Recall
from discord_agent.steps.spending import Purse, Spending, payer_of

_VOICES = 2
_STRONGEST = "tier4"


class Frame(Struct, frozen=True):
    """One model puts the question so that others can answer it alone; then each of them gets a card."""

    spending: Spending
    models: Models
    prompts: Prompts
    discord: Discord
    sessions: Sessions
    executions: Executions
    chronicle: Chronicle
    clock: Clock
    recall: Recall

    def __call__(self, run: RunState) -> RunState:
        """Open the run; one that has ended already gets no voices."""
        record = self.executions.get(run.execution_id)
        if record is None:
            raise InvalidEvent(f"no record of {run.execution_id}")
        if record.terminal_message_id is not None:
            return replace(run, outcome=record.outcome, voices=())
        self.executions.update(run.execution_id, status=ExecutionStatus.PROCESSING)
        run = replace(run, started_at=self.clock.now().isoformat())
        self.chronicle.started(run, record)
        run, brief = self._framed(run, record)
        tier = self.models.tier(_STRONGEST if run.wants_stronger else routing.options_tier(record.request))
        run = replace(run, model=tier[-1], voices=self._voices(run, tier[-_VOICES:]))
        card = run.voices[0].card_message_id
        self.executions.update(run.execution_id, brief=brief, card_message_id=card, usage=run.usage, cost=run.cost)
        return replace(run, card_message_id=card)

    def _voices(self, run: RunState, models: tuple[ModelName, ...]) -> tuple[Voice, ...]:
        voices = (Voice(number, model) for number, model in enumerate(models, 1))
        return tuple(replace(voice, card_message_id=self._card(run, voice)) for voice in voices)

    def _card(self, run: RunState, voice: Voice) -> MessageId:
        nonce = f"{run.execution_id}/voice/{voice.number}"
        return self.discord.send(run.channel_id, option_cards.branching(run, voice), nonce=nonce)

    def _framed(self, run: RunState, record: ExecutionRecord) -> tuple[RunState, str]:
        """The question in one piece; without the planner it is what the person wrote."""
        # There is no lease to tell attempts apart by.
        with self.spending.purse(payer_of(run), Purpose.PLAN, self.clock.now().isoformat()) as purse:
            try:
                reply, _ = ask(
                    purse,
                    self._request(run, record, purse),
                    FrameReply,
                    stop_requested=lambda: self.executions.stop_requested(run.execution_id),
                )
            except (ModelUnavailable, ModelRefused, InvalidReply, OverBudget, Stopped) as error:
                # Who is asked next meets the same limit or the same stop, and says so.
                reason = f"{type(error).__name__}: {error}"
                self.chronicle.note(run.thread_id, run.execution_id, "plan_failed", reason=reason)
                reply = FrameReply()
        run = replace(run, topic=reply.topic_slug, usage=run.usage + purse.usage, cost=run.cost + purse.cost)
        return run, reply.reformulated_prompt or record.request

    def _request(self, run: RunState, record: ExecutionRecord, purse: Purse) -> ModelRequest:
        question = self.prompts.render(
            "frame_request",
            history=self.recall.before(run, purse),
            session=self.sessions.get(run.thread_id),
            author=record.author_name,
            content=record.request,
        )
        return ModelRequest(
            Purpose.PLAN,
            self.models.for_purpose(Purpose.PLAN),
            (Message(Role.SYSTEM, self.prompts.render("frame")), Message(Role.USER, question)),
        )
