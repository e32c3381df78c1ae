"""Starting the state machine of a recorded request, and that of a decision."""

from copy import replace
from typing import Final

from discord_agent.domain.classification import Classification, FlowType, TaskType
from discord_agent.domain.errors import InvalidEvent, InvalidInput
from discord_agent.domain.ids import ModelName, UserId, choice_of, late_decision
from discord_agent.domain.inbound import Author
from discord_agent.domain.options import chosen_request
from discord_agent.domain.run import Next, RunState
from discord_agent.domain.session import Approval, Decision, ExecutionRecord, Reasons
from discord_agent.ports import Clock, Executions, Machines

MACHINES: Final = {
    FlowType.SIMPLE: "simple",
    FlowType.SEQUENTIAL: "sequential_thinking",
    FlowType.BRANCH: "branch",
    FlowType.BREAKGLASS: "breakglass",
}
"""The state machine of each flow."""


def launch(machines: Machines, record: ExecutionRecord) -> None:
    """Start the flow of a record; its name makes a second start of the same request no start at all."""
    machines.start(MACHINES[record.flow], record.execution_id, _run_of(record))


def choose(
    machines: Machines, executions: Executions, record: ExecutionRecord, option: int, actor: Author, clock: Clock
) -> ExecutionRecord:
    """Start to carry out one of the options that a run showed, counted from 1; choosing it again starts nothing.

    Returns the row of the run that carries it out. InvalidInput when there is no such option.
    """
    if not 1 <= option <= len(record.options):
        raise InvalidInput(f"{record.execution_id} showed no option {option}")
    chosen = record.options[option - 1]
    earlier = record.classification or Classification(should_respond=True, reason="")
    carrying_out = ExecutionRecord(
        choice_of(record.execution_id, option),
        record.thread_id,
        record.channel_id,
        record.message_id,
        actor.id,
        actor.name,
        flow=FlowType.SEQUENTIAL,
        request=chosen_request(record.request, chosen),
        created_at=clock.now(),
        guild_id=record.guild_id,
        attachments=record.attachments,
        classification=replace(earlier, should_respond=True, is_technical=True, task_type=TaskType.CODING),
        reasons=Reasons(flow=f"option {option} was chosen: {chosen.title}", role=record.reasons.role),
    )
    executions.create(carrying_out)
    launch(machines, carrying_out)
    return carrying_out


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
        model=record.stronger_than or ModelName(""),
        wants_stronger=record.stronger_than is not None,
        usage=record.usage,
        cost=record.cost,
        resumes=record.resumes,
        next=Next.PLAN,
    )
