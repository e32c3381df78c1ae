"""What people can do about a run besides starting, steering and stopping it."""

from collections.abc import Callable
from typing import assert_never

from msgspec import Struct

from discord_agent.domain import memory
from discord_agent.domain.actions import Choose, Extend, Forget, Rewind
from discord_agent.domain.errors import InvalidInput
from discord_agent.domain.ids import UserId
from discord_agent.domain.inbound import Author
from discord_agent.domain.session import ExecutionRecord
from discord_agent.ports import Clock, Executions, Insights, Machines
from discord_agent.steps.launch import choose

type Lever = Extend | Rewind | Forget | Choose


class Levers(Struct, frozen=True):
    """Each may be pulled again without doing more; whether ``actor`` may is decided before."""

    extend: Callable[[ExecutionRecord, UserId], None]
    rewind: Callable[[ExecutionRecord, int, UserId], None]
    insights: Insights
    machines: Machines
    executions: Executions
    clock: Clock

    def pull(self, lever: Lever, record: ExecutionRecord, actor: Author) -> str:
        """Do it, and say that it is done; InvalidInput or Conflict, with a sentence for people, where it cannot be."""
        match lever:
            case Extend():
                self.extend(record, actor.id)
                return "The budget is extended."
            case Rewind(turn=turn):
                self.rewind(record, turn, actor.id)
                return f"Back at the end of turn {turn}." if turn else "Back at the beginning."
            case Forget(insight=insight):
                shelf = memory.shelf(record.guild_id, record.thread_id)
                if self.insights.forget(shelf, insight, by=actor.id) is None:
                    raise InvalidInput("This is forgotten already.")
                return "Forgotten."
            case Choose(option=option):
                choose(self.machines, self.executions, record, option, actor, self.clock)
                return f"Option {option} it is."
            case _:
                assert_never(lever)
