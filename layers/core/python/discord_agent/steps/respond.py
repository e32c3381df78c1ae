"""The flow ``simple``: one question, one completion, one answer."""

from copy import replace
from typing import Final

from msgspec import Struct

from discord_agent.domain.classification import UNRELATED_TASKS, TaskType
from discord_agent.domain.conversation import Message, ModelRequest, Purpose, Role
from discord_agent.domain.run import Next, RunState
from discord_agent.domain.session import ExecutionRecord
from discord_agent.ports import Discord, Models, Prompts
from discord_agent.steps import showing
from discord_agent.steps.answering import Answering
from discord_agent.steps.recall import Recall
from discord_agent.steps.spending import Purse
from discord_agent.steps.strength import first_model

_OFFERS: Final = {TaskType.ARCHITECTURE: "Implement this"}
"""Answers that an agent may carry out, with the label of the button."""


class Respond(Struct, frozen=True):
    """Every kind of question has its own instructions; all of them are answered alike."""

    answering: Answering
    models: Models
    prompts: Prompts
    discord: Discord
    recall: Recall

    def __call__(self, run: RunState) -> RunState:
        """Answer where the question was asked."""
        record = self.answering.begin(run)
        if record.terminal_message_id is not None:
            return replace(run, outcome=record.outcome, next=Next.END)
        return self.answering.answer(
            run,
            Purpose.RESPOND,
            lambda purse: self._request(run, record, purse),
            offer=_OFFERS.get(run.task_type, ""),
        )

    def _request(self, run: RunState, record: ExecutionRecord, purse: Purse) -> ModelRequest:
        question = self.prompts.render(
            "question",
            history=() if run.task_type in UNRELATED_TASKS else self.recall.before(run, purse),
            author=record.author_name,
            content=record.request,
        )
        message, images = showing.asked(self.prompts, self.discord, question, record.attachments)
        return ModelRequest(
            Purpose.RESPOND,
            first_model(self.models, run, self.models.for_task(run.task_type)),
            (
                Message(Role.SYSTEM, self.prompts.render(f"tasks/{run.task_type}")),
                message,
            ),
            image_bytes=images,
        )
