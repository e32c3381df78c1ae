"""Writing down what a run taught."""

from dataclasses import dataclass, replace

from discord_agent.domain import memory
from discord_agent.domain.conversation import Message, ModelRequest, Purpose, Role
from discord_agent.domain.errors import InvalidReply, ModelRefused, ModelUnavailable, OverBudget
from discord_agent.domain.memory import Reflection
from discord_agent.domain.run import Outcome, RunState
from discord_agent.ports import Clock, Insights, Journal, Leases, Models, Prompts, Reflections, Sessions
from discord_agent.replies import ReflectReply
from discord_agent.steps.asking import ask
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.holding import hold
from discord_agent.steps.spending import Purse, Spending, payer_of

_TAIL = 20
"""Messages of the run shown to the reflector."""


@dataclass(frozen=True, slots=True)
class Reflect:
    """Asks the reflector when there is evidence to learn from; a clean run is noted without a model."""

    spending: Spending
    models: Models
    prompts: Prompts
    journal: Journal
    leases: Leases
    sessions: Sessions
    reflections: Reflections
    insights: Insights
    chronicle: Chronicle
    clock: Clock

    def __call__(self, run: RunState) -> RunState:
        """Add one reflection to the thread's memory."""
        lease = hold(self.leases, run)
        if any(known.id == memory.name_of(run.execution_id, "run") for known in self.reflections.list(run.thread_id)):
            return run
        has_evidence = run.signals.failures > 0 or run.outcome is not Outcome.DONE
        with self.spending.purse(payer_of(run), Purpose.REFLECT, str(lease.fence)) as purse:
            reflection = self._from_model(run, purse) if has_evidence else self._clean(run)
        self.reflections.add(run.thread_id, reflection, lease=lease)
        self.chronicle.note(
            run.thread_id,
            run.execution_id,
            "reflection",
            cost=purse.cost,
            score=reflection.score,
            keyInsight=reflection.key_insight,
            byModel=has_evidence,
        )
        return replace(run, usage=run.usage + purse.usage, cost=run.cost + purse.cost)

    def _clean(self, run: RunState) -> Reflection:
        return memory.clean_run(run, self.clock.now())

    def _from_model(self, run: RunState, purse: Purse) -> Reflection:
        context = self.journal.load_context(run)
        tail = context.messages[-_TAIL:] if context is not None else ()
        request = ModelRequest(
            Purpose.REFLECT,
            self.models.for_purpose(Purpose.REFLECT),
            (
                Message(Role.SYSTEM, self.prompts.render("reflect")),
                Message(Role.USER, self.prompts.render("reflect_evidence", run=run, messages=tail)),
            ),
        )
        try:
            reply, _ = ask(purse, request, ReflectReply)
        except (ModelUnavailable, ModelRefused, InvalidReply, OverBudget) as error:
            self.chronicle.note(run.thread_id, run.execution_id, "reflection_failed", reason=type(error).__name__)
            return self._clean(run)
        reflection = Reflection(
            memory.name_of(run.execution_id, "run"),
            self.clock.now(),
            run.execution_id,
            run.score or 0,
            **reply.model_dump(),
        )
        return reflection if reply.says_something else self._clean(run)
