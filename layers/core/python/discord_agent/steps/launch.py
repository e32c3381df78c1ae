"""Starting the state machine of a recorded request, and that of a decision."""

from dataclasses import replace
from typing import Final

from discord_agent.domain.classification import FlowType
from discord_agent.domain.errors import InvalidEvent
from discord_agent.domain.ids import UserId, late_decision
from discord_agent.domain.run import Next, RunState
from discord_agent.domain.session import Approval, Decision, ExecutionRecord
from discord_agent.ports import Machines

MACHINES: Final = {FlowType.SIMPLE: "simple", FlowType.SEQUENTIAL: "sequential_thinking"}
"""The state machine of each flow."""


def launch(machines: Machines, record: ExecutionRecord) -> None:
    """Start the flow of a record; its name makes a second start of the same request no start at all."""
    machines.start(MACHINES[record.flow], record.execution_id, _run_of(record))


def settle(
    machines: Machines, record: ExecutionRecord, approval: Approval, decision: Decision, by: UserId | None
) -> None:
    """Have a recorded decision carried out, also when the execution that waited for it was stopped from outside.

    One that does not wait yet finds the decision as soon as it begins to.
    """
    answer = {"decision": decision, "by": by}
    if approval.task_token and not machines.succeed(approval.task_token, answer):
        run = replace(_run_of(record), commit=approval.commit)
        data = {"run": run, "message_id": approval.message_id, **answer}
        machines.start("approval", late_decision(record.execution_id), data)


def _run_of(record: ExecutionRecord) -> RunState:
    decision = record.classification
    if decision is None:
        raise InvalidEvent(f"{record.execution_id} was not classified")
    return RunState(
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
