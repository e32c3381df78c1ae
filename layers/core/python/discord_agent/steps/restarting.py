"""Starting a recorded request anew."""

from copy import replace
from typing import Final

from msgspec import Struct

from discord_agent.domain.cloud import CloudUse
from discord_agent.domain.ids import ChannelId, ModelName, UserId, retry_of
from discord_agent.domain.money import Cost, Usage, Usd
from discord_agent.domain.run import Waiting
from discord_agent.domain.session import ExecutionRecord, ExecutionStatus
from discord_agent.ports import Clock, Executions, Machines
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.launch import launch
from discord_agent.steps.rewinding import resumption_of

_ASKED: Final = "a stronger model than that of the last try was asked for"


class Restart(Struct, frozen=True):
    """A run's next try, from the workspace as it is."""

    executions: Executions
    machines: Machines
    chronicle: Chronicle
    clock: Clock

    def __call__(
        self, record: ExecutionRecord, author: UserId, author_name: str, *, actor: UserId, stronger: bool = False
    ) -> bool:
        """Start the next try, once, for ``author``; False if it has run and ended already.

        ``stronger`` is for a try with a stronger model than the one that the last try came to.
        """
        again = replace(
            record,
            execution_id=retry_of(record.execution_id),
            author_id=author,
            author_name=author_name,
            created_at=self.clock.now(),
            status=ExecutionStatus.PENDING,
            channel_id=ChannelId(record.thread_id),
            stronger_than=_came_to(record) if stronger else _still_to_begin(record),
            reasons=replace(record.reasons, model=_ASKED) if stronger else record.reasons,
            escalations=(),
            options=(),
            card_message_id=None,
            stop_requested_by=None,
            stop_requested_at=None,
            task_token="",
            question="",
            waiting=Waiting.ANSWER,
            needed=Usd(),
            question_message_id=None,
            reached=None,
            approval=None,
            outcome=None,
            terminal_message_id=None,
            completed_at=None,
            turns=0,
            usage=Usage(),
            cost=Cost(),
            resumes=resumption_of(record) or record.resumes,
            cloud=CloudUse(),
        )
        earlier = self.executions.get(again.execution_id)
        if earlier is not None and earlier.outcome is not None:
            return False
        self.executions.create(again)
        launch(self.machines, again)
        self.chronicle.note(
            record.thread_id, again.execution_id, "restarted", actor=actor, after=record.execution_id, stronger=stronger
        )
        return True


def _still_to_begin(record: ExecutionRecord) -> ModelName | None:
    """What a wish for a stronger model was about, if the last try ended before it came to work with one."""
    return record.stronger_than if record.reached is None else None


def _came_to(record: ExecutionRecord) -> ModelName:
    """The model that the last try worked with, "" when it did not come that far."""
    return record.reached.model if record.reached else record.stronger_than or ModelName("")
