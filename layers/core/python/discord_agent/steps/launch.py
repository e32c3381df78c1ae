"""Starting the state machine of a recorded request."""

from typing import Final

from discord_agent.domain.classification import FlowType
from discord_agent.domain.errors import InvalidEvent
from discord_agent.domain.run import Next, RunState
from discord_agent.domain.session import ExecutionRecord
from discord_agent.ports import Machines

MACHINES: Final = {FlowType.SIMPLE: "simple", FlowType.SEQUENTIAL: "sequential_thinking"}
"""The state machine of each flow."""


def launch(machines: Machines, record: ExecutionRecord) -> None:
    """Start the flow of a record; its name makes a second start of the same request no start at all."""
    decision = record.classification
    if decision is None:
        raise InvalidEvent(f"{record.execution_id} was not classified")
    run = RunState(
        record.execution_id,
        record.thread_id,
        record.channel_id,
        record.message_id,
        record.author_id,
        guild_id=record.guild_id,
        flow=record.flow,
        task_type=decision.task_type,
        role=decision.role,
        complexity=decision.complexity,
        usage=record.usage,
        cost=record.cost,
        next=Next.PLAN,
    )
    machines.start(MACHINES[record.flow], record.execution_id, run)
