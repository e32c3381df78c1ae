"""Planning: what to do, by whom, in how many turns, with what earlier runs taught."""

from copy import replace

from msgspec import Struct

from discord_agent.domain import cards, learned, memory
from discord_agent.domain.classification import max_turns
from discord_agent.domain.conversation import Image, Message, Purpose, Role
from discord_agent.domain.errors import InvalidEvent, LeaseLost
from discord_agent.domain.ids import ModelName
from discord_agent.domain.run import Next, RunState
from discord_agent.domain.session import ExecutionRecord, Lease, Session
from discord_agent.domain.workspace import AGENT_FOLDER, Manifest
from discord_agent.ports import (
    Clock,
    Context,
    Discord,
    Executions,
    Insights,
    Journal,
    Leases,
    Models,
    Prompts,
    Reflections,
    Sessions,
    Workspaces,
)
from discord_agent.replies import PlanReply
from discord_agent.steps import showing, uploads
from discord_agent.steps.card import Card
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.holding import hold
from discord_agent.steps.places import repository_of
from discord_agent.steps.planner import Planner
from discord_agent.steps.recall import Recall
from discord_agent.steps.reflecting import Lesson, Reflector
from discord_agent.steps.resuming import Resuming
from discord_agent.steps.spending import Purse, Spending, payer_of
from discord_agent.steps.strength import first_model

_TREE = 200


class Plan(Struct, frozen=True):
    """The planner sees everything that is remembered; its plan goes to the workspace and to the actor."""

    spending: Spending
    models: Models
    prompts: Prompts
    workspaces: Workspaces
    journal: Journal
    leases: Leases
    sessions: Sessions
    reflections: Reflections
    insights: Insights
    executions: Executions
    discord: Discord
    chronicle: Chronicle
    clock: Clock
    resuming: Resuming
    recall: Recall
    reflector: Reflector
    planner: Planner

    def __call__(self, run: RunState) -> RunState:
        """Write plan and opening messages; a planner that cannot be used costs the plan, not the run."""
        lease = hold(self.leases, run)
        record = self.executions.get(run.execution_id)
        head = self.workspaces.head(run.thread_id)
        if record is None or head is None:
            raise InvalidEvent(f"{run.execution_id} was not prepared")
        card = Card(self.discord, self.clock, run)
        session = self.sessions.get(run.thread_id)
        resumed = self.resuming(run, record, session, lease, card)
        if resumed is not None:
            return replace(card.keep(resumed), next=Next.TURN)
        manifest = self.workspaces.load(run.thread_id, run.manifest_id or head.manifest_id)
        with self.spending.purse(payer_of(run), Purpose.PLAN, str(lease.fence)) as purse:
            # First of all, so that this plan is made with what people said about the last result.
            lessons = self.reflector.on_objections(session, purse, lease)
            facts = self._facts(run, record, session, manifest, purse, lease)
            pictures = showing.pictures_among(self.workspaces, run.thread_id, manifest, _added(record))
            plan = self.planner.plan(run, session, facts, pictures, purse, lease)
            if not run.opened_in_place:
                self.planner.title(run, record, purse)
        run = self._planned(_taught(run, lessons), session, plan, purse)
        if not self.leases.holds(lease):
            raise LeaseLost(f"a newer attempt plans {run.execution_id}")
        head = self.workspaces.save(run.thread_id, self._with_plan(run, manifest, plan), expected=head)
        run = replace(run, manifest_id=head.manifest_id)
        self._open_context(run, facts, plan, tuple(pictures))
        self._note(run, plan, purse)
        self._keep_reasons(run, record, lease)
        card.say(*([learned.note(run)] if run.lesson_id else []), cards.plan_line(run))
        return card.keep(run)

    def _planned(self, run: RunState, session: Session, plan: PlanReply, purse: Purse) -> RunState:
        """The run as the plan has it: by whom, in how many turns, with what model."""
        return replace(
            run,
            topic=plan.topic_slug,
            role=plan.agent_role,
            task_type=plan.task_type,
            complexity=plan.complexity,
            model=first_model(self.models, run, self._usual_model(plan, session)),
            wants_stronger=False,
            max_turns=max_turns(plan.complexity, plan.estimated_turns),
            confidence=plan.confidence_assessment.score,
            usage=run.usage + purse.usage,
            cost=run.cost + purse.cost,
            next=Next.TURN,
        )

    def _keep_reasons(self, run: RunState, record: ExecutionRecord, lease: Lease) -> None:
        """What the plan decided, for people who ask; a stronger model that they asked for is not its decision."""
        role = f"the plan has a {run.role} do this as {run.task_type}"
        model = record.reasons.model if record.stronger_than else f"{run.model} is the model of a {run.role}"
        reasons = replace(record.reasons, role=role, model=model)
        self.executions.update(run.execution_id, lease=lease, reasons=reasons)

    def _note(self, run: RunState, plan: PlanReply, purse: Purse) -> None:
        self.chronicle.note(
            run.thread_id,
            run.execution_id,
            "plan",
            cost=purse.cost,
            topic=run.topic,
            agentRole=run.role,
            complexity=run.complexity,
            maxTurns=run.max_turns,
            model=run.model,
            task=plan.reformulated_prompt,
            isNewTopic=plan.is_new_topic,
            hasProgress=plan.confidence_assessment.has_progress,
            confidence=plan.confidence_assessment.score,
            reasoning=plan.confidence_assessment.reasoning,
        )

    def _facts(
        self, run: RunState, record: ExecutionRecord, session: Session, manifest: Manifest, purse: Purse, lease: Lease
    ) -> dict[str, object]:
        """Everything there is to know, for the planner and for the one who does the work."""
        said = self.recall.whole(
            run.thread_id, without=run.message_id, purse=purse, execution=run.execution_id, lease=lease
        )
        return {
            "run": run,
            "record": record,
            "session": session,
            "history": said,
            "files": [entry.path for entry in manifest.files[:_TREE]],
            "more_files": max(0, len(manifest.files) - _TREE),
            "added": _added(record),
            "memory": self._memories(run, session),
        }

    def _usual_model(self, plan: PlanReply, session: Session) -> ModelName:
        """The role's model; what a model wrote is reviewed by a peer of it."""
        authors = (session.author_model,) if session.author_model else ()
        return self.models.for_role(plan.agent_role, excluding=authors)

    def _memories(self, run: RunState, session: Session) -> str:
        """What earlier runs taught, for the planner and for the one who does the work."""
        known = self.insights.list(memory.shelf(run.guild_id, run.thread_id))
        relevant = memory.ranked(known, repository=repository_of(self.sessions, run), thread=run.thread_id)
        return memory.as_prompt(self.reflections.list(run.thread_id), session.last_run, relevant)

    def _with_plan(self, run: RunState, manifest: Manifest, plan: PlanReply) -> Manifest:
        files = {
            f"{AGENT_FOLDER}/plans/{run.topic}.md": plan.plan_content.encode(),
            f"{AGENT_FOLDER}/instructions/{run.topic}.md": plan.instruction_content.encode(),
        }
        return self.workspaces.add_files(run.thread_id, manifest, files)

    def _open_context(
        self, run: RunState, facts: dict[str, object], plan: PlanReply, images: tuple[Image, ...]
    ) -> None:
        task = self.prompts.render("task", **(facts | {"plan": plan, "run": run}))
        messages = (
            Message(Role.SYSTEM, self.prompts.render(f"roles/{run.role}")),
            Message(Role.USER, task, images=images),
        )
        opened = self.journal.load_context(run) or Context((), turn=0)
        self.journal.save_context(run, replace(opened, messages=messages, reached=run))


def _added(record: ExecutionRecord) -> list[str]:
    """Where the files lie that people attached to the request."""
    return [uploads.place(attachment) for attachment in record.attachments]


def _taught(run: RunState, lessons: tuple[Lesson, ...]) -> RunState:
    """The run with what it learned from objections, for people to see and take away."""
    insight = next((lesson.insight for lesson in lessons if lesson.insight is not None), None)
    return replace(run, lesson=insight.text, lesson_id=insight.id) if insight is not None else run
