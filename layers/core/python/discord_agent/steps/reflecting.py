"""Learning from evidence: a reflection for the thread, an insight for the guild."""

from collections.abc import Callable
from copy import replace
from enum import StrEnum
from typing import Final

from msgspec import Struct

from discord_agent.domain import evidence, memory
from discord_agent.domain.conversation import Message, ModelRequest, Purpose, Role
from discord_agent.domain.errors import InvalidReply, ModelRefused, ModelUnavailable, OverBudget
from discord_agent.domain.ids import UserId
from discord_agent.domain.memory import Insight, Reflection
from discord_agent.domain.redaction import Redactor
from discord_agent.domain.run import RunState
from discord_agent.domain.session import Lease, Objection, Session
from discord_agent.ports import (
    Clock,
    Executions,
    Insights,
    Journal,
    LanguageModel,
    Models,
    Prompts,
    Reflections,
    Sessions,
)
from discord_agent.replies import ReflectReply
from discord_agent.steps.asking import ask
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.places import repository_of

_TAIL: Final = 20
"""Messages of the run shown to the reflector."""
_PATTERNS_ONLY: Final = Redactor()


class Occasion(StrEnum):
    """What made somebody reflect on a run; each leaves at most one reflection per run."""

    END = "run"
    REJECTION = "rejected"
    DISLIKE = "disliked"


class Lesson(Struct, frozen=True):
    """What was learned: the reflection, and the insight if one is kept."""

    reflection: Reflection
    insight: Insight | None


class Reflector(Struct, frozen=True):
    """Asks a model what evidence teaches; without evidence only figures are noted."""

    models: Models
    prompts: Prompts
    journal: Journal
    sessions: Sessions
    reflections: Reflections
    insights: Insights
    executions: Executions
    chronicle: Chronicle
    clock: Clock
    redactor: Redactor = _PATTERNS_ONLY

    def at_the_end(self, run: RunState, purse: LanguageModel, lease: Lease) -> Lesson:
        """Reflect on a run that has just ended; asked again it gives what was kept, without a model."""
        return self._reflect(run, Occasion.END, evidence.of_run(run), purse, lease, by=run.author_id)

    def on_objections(self, session: Session, purse: LanguageModel, lease: Lease) -> tuple[Lesson, ...]:
        """Reflect on what people held against earlier runs of a thread since the last one, and take it away."""
        lessons = (
            self._on_objection(session, Occasion.REJECTION, session.rejection, evidence.of_rejection, purse, lease),
            self._on_objection(session, Occasion.DISLIKE, session.dislike, evidence.of_dislike, purse, lease),
        )
        if session.rejection is not None or session.dislike is not None:
            self.sessions.update(session.thread_id, lease=lease, rejection=None, dislike=None)
        return tuple(lesson for lesson in lessons if lesson is not None)

    def _on_objection(
        self,
        session: Session,
        occasion: Occasion,
        objection: Objection | None,
        told: Callable[[Objection], str],
        purse: LanguageModel,
        lease: Lease,
    ) -> Lesson | None:
        if objection is None:
            return None
        record = self.executions.get(objection.execution_id)
        if record is None or record.reached is None:
            # Nothing is left to look back on; what people said about it is in the thread's history.
            self.chronicle.note(
                session.thread_id, objection.execution_id, "objection_dropped", actor=objection.by, occasion=occasion
            )
            return None
        score = session.last_run.score if session.last_run else None
        run = replace(record.reached, outcome=record.outcome, score=score)
        facts = (told(objection), *evidence.of_run(run))
        return self._reflect(run, occasion, facts, purse, lease, by=objection.by)

    def _reflect(
        self,
        run: RunState,
        occasion: Occasion,
        facts: tuple[str, ...],
        purse: LanguageModel,
        lease: Lease,
        *,
        by: UserId,
    ) -> Lesson:
        name = memory.name_of(run.execution_id, occasion)
        known = next((item for item in self.reflections.list(run.thread_id) if item.id == name), None)
        if known is not None:
            return Lesson(known, self._learn(run, known, by))
        reflection = self._redacted(self._ask(run, name, facts, purse) if facts else self._plain(run, name, facts))
        self.reflections.add(run.thread_id, reflection, lease=lease)
        insight = self._learn(run, reflection, by)
        self.chronicle.note(
            run.thread_id,
            run.execution_id,
            "reflection",
            occasion=occasion,
            score=reflection.score,
            evidence=reflection.evidence,
            keyInsight=reflection.key_insight,
            insightId=insight.id if insight else None,
        )
        return Lesson(reflection, insight)

    def _learn(self, run: RunState, reflection: Reflection, by: UserId) -> Insight | None:
        """Share the key insight with the guild, unless people forgot the like of it."""
        if not reflection.key_insight:
            return None
        insight = Insight(
            memory.name_of(run.execution_id, reflection.key_insight),
            reflection.key_insight,
            reflection.at,
            run.thread_id,
            run.execution_id,
            by,
            repository=repository_of(self.sessions, run),
            evidence=reflection.evidence,
        )
        return self.insights.learn(memory.shelf(run.guild_id, run.thread_id), insight)

    def _plain(self, run: RunState, name: str, facts: tuple[str, ...]) -> Reflection:
        """What is certain without asking a model."""
        return replace(memory.clean_run(run, self.clock.now()), id=name, evidence=" ".join(facts))

    def _ask(self, run: RunState, name: str, facts: tuple[str, ...], purse: LanguageModel) -> Reflection:
        context = self.journal.load_context(run)
        tail = context.messages[-_TAIL:] if context is not None else ()
        shown = self.prompts.render("reflect_evidence", run=run, evidence=facts, messages=tail)
        request = ModelRequest(
            Purpose.REFLECT,
            self.models.for_purpose(Purpose.REFLECT),
            (Message(Role.SYSTEM, self.prompts.render("reflect")), Message(Role.USER, shown)),
        )
        plain = self._plain(run, name, facts)
        try:
            reply, _ = ask(purse, request, ReflectReply)
        except (ModelUnavailable, ModelRefused, InvalidReply, OverBudget) as error:
            self.chronicle.note(run.thread_id, run.execution_id, "reflection_failed", reason=type(error).__name__)
            return plain
        return replace(plain, **reply.model_dump()) if reply.says_something else plain

    def _redacted(self, reflection: Reflection) -> Reflection:
        """What is kept and shown to others later holds no secrets."""
        clean = self.redactor.text
        return replace(
            reflection,
            what_worked=clean(reflection.what_worked),
            what_failed=clean(reflection.what_failed),
            root_cause=clean(reflection.root_cause),
            strategy_change=clean(reflection.strategy_change),
            key_insight=clean(reflection.key_insight),
            evidence=clean(reflection.evidence),
        )
