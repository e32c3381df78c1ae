"""The flow ``breakglass``: a model that somebody named, asked at once and without any of the usual steps."""

from copy import replace

from msgspec import Struct

from discord_agent.domain import option_cards
from discord_agent.domain.conversation import Message, ModelRequest, Purpose, Role
from discord_agent.domain.ids import ModelName
from discord_agent.domain.posts import Post
from discord_agent.domain.run import Next, Outcome, RunState
from discord_agent.domain.session import ExecutionRecord
from discord_agent.ports import Models, Prompts
from discord_agent.steps import showing
from discord_agent.steps.answering import Answering
from discord_agent.steps.recall import Recall

_MOST_TOKENS = 2000


class Breakglass(Struct, frozen=True):
    """Whoever gets here was allowed to by ``intake`` or by the command; it is on record and its cost counts."""

    answering: Answering
    models: Models
    prompts: Prompts
    recall: Recall

    def __call__(self, run: RunState) -> RunState:
        """Answer where it was asked; an alias that nobody knows is answered with those that there are."""
        record = self.answering.begin(run)
        if record.terminal_message_id is not None:
            return replace(run, outcome=record.outcome, next=Next.END)
        model = self.models.breakglass(record.alias)
        self._tell(run, record, model)
        if model is None:
            return self._refuse(run, option_cards.unknown_alias(run, record.alias, tuple(self.models.aliases())))
        if not record.request:
            return self._refuse(run, option_cards.nothing_asked(run, record.alias))
        return self.answering.answer(
            replace(run, model=model), Purpose.BREAKGLASS, lambda _: self._request(run, record, model)
        )

    def _tell(self, run: RunState, record: ExecutionRecord, model: ModelName | None) -> None:
        self.answering.chronicle.note(
            run.thread_id,
            run.execution_id,
            "breakglass",
            actor=record.author_id,
            alias=record.alias,
            model=model or "unknown",
            request=record.request,
        )

    def _refuse(self, run: RunState, post: Post) -> RunState:
        run = replace(run, outcome=Outcome.FAILED, next=Next.END)
        self.answering.terminal.post(run, run.channel_id, (post,))
        return run

    def _request(self, run: RunState, record: ExecutionRecord, model: ModelName) -> ModelRequest:
        # Nobody waits for a summary here.
        said = self.recall.glance(run.thread_id, without=run.message_id, direct=run.guild_id is None)
        question = self.prompts.render(
            "question",
            history=said,
            author=record.author_name,
            content=record.request,
        )
        message, images = showing.asked(self.prompts, self.answering.discord, question, record.attachments)
        return ModelRequest(
            Purpose.BREAKGLASS,
            model,
            (Message(Role.SYSTEM, self.prompts.render("breakglass")), message),
            max_output_tokens=_MOST_TOKENS,
            image_bytes=images,
        )
