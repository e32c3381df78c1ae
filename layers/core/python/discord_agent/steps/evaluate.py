"""Scoring a run by its figures."""

from copy import replace

from msgspec import Struct

from discord_agent.domain import evaluation, planning
from discord_agent.domain.design_evaluation import evaluate_design, is_design
from discord_agent.domain.evaluation import Trajectory
from discord_agent.domain.run import Next, Outcome, RunState
from discord_agent.ports import Leases, Sessions
from discord_agent.steps.checkpoint import record_checkpoint
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.holding import hold

_LAST_MESSAGE = 500


class Evaluate(Struct, frozen=True):
    """The evaluator of Reflexion: no model, only figures."""

    leases: Leases
    sessions: Sessions
    chronicle: Chronicle

    def __call__(self, run: RunState) -> RunState:
        """Store the score for the next plan; a run that ends early gets a checkpoint to go on from."""
        lease = hold(self.leases, run)
        trajectory = Trajectory.of(run)
        verdict = evaluate_design(trajectory, run.summary) if is_design(run) else evaluation.evaluate(trajectory)
        self.sessions.update(
            run.thread_id,
            lease=lease,
            confidence=verdict.score,
            has_progress=verdict.has_progress,
            topic=run.topic,
            topics=planning.topics(self.sessions.get(run.thread_id).topics, run.topic),
            last_message=run.summary[:_LAST_MESSAGE],
            last_run=verdict.as_last_run(trajectory),
            parked=None,
        )
        self.chronicle.note(
            run.thread_id,
            run.execution_id,
            "evaluation",
            score=verdict.score,
            taskCompletion=verdict.task_completion,
            codeQuality=verdict.code_quality,
            efficiency=verdict.efficiency,
            reasoning=verdict.reasoning,
        )
        if run.outcome is not Outcome.DONE:
            record_checkpoint(self.chronicle, run)
        return replace(run, score=verdict.score, next=Next.END)
