"""Planning: what to do, by whom, in how many turns, with what earlier runs taught."""

from dataclasses import dataclass, replace

from discord_agent.domain import cards, history, memory, routing
from discord_agent.domain.classification import max_turns
from discord_agent.domain.conversation import Message, ModelRequest, Purpose, Role
from discord_agent.domain.errors import (
    DiscordRefused,
    DiscordUnavailable,
    InvalidEvent,
    InvalidReply,
    LeaseLost,
    ModelRefused,
    ModelUnavailable,
    OverBudget,
)
from discord_agent.domain.ids import ChannelId
from discord_agent.domain.inbound import InboundMessage
from discord_agent.domain.run import Next, RunState
from discord_agent.domain.session import ExecutionRecord, Session
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
from discord_agent.replies import PlanReply, TitleReply
from discord_agent.steps.asking import ask
from discord_agent.steps.card import Card
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.holding import hold
from discord_agent.steps.places import repository_of
from discord_agent.steps.resuming import Resuming
from discord_agent.steps.spending import Purse, Spending, payer_of
from discord_agent.steps.strength import first_model

_HISTORY = 50
_TREE = 200


@dataclass(frozen=True, slots=True)
class Plan:
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
        memories = self._memories(run, session)
        facts = {
            "run": run,
            "record": record,
            "session": session,
            "history": history.lines(self._history(run), without=run.message_id),
            "files": [entry.path for entry in manifest.files[:_TREE]],
            "more_files": max(0, len(manifest.files) - _TREE),
            "memory": memories,
        }
        with self.spending.purse(payer_of(run), Purpose.PLAN, str(lease.fence)) as purse:
            plan = self._ask(run, facts, purse)
            if not run.opened_in_place:
                self._title(run, record, purse)
        run = replace(
            run,
            topic=plan.topic_slug,
            role=plan.agent_role,
            task_type=plan.task_type,
            complexity=plan.complexity,
            model=first_model(self.models, run, self.models.for_role(plan.agent_role)),
            wants_stronger=False,
            max_turns=max_turns(plan.complexity, plan.estimated_turns),
            confidence=plan.confidence_assessment.score,
            usage=run.usage + purse.usage,
            cost=run.cost + purse.cost,
            next=Next.TURN,
        )
        if not self.leases.holds(lease):
            raise LeaseLost(f"a newer attempt plans {run.execution_id}")
        head = self.workspaces.save(run.thread_id, self._with_plan(run, manifest, plan), expected=head)
        run = replace(run, manifest_id=head.manifest_id)
        self._open_context(run, facts, plan)
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
        )
        card.say(cards.plan_line(run))
        return card.keep(run)

    def _memories(self, run: RunState, session: Session) -> str:
        """What earlier runs taught, for the planner and for the one who does the work."""
        known = self.insights.list(memory.shelf(run.guild_id, run.thread_id))
        relevant = memory.ranked(known, repository=repository_of(self.sessions, run), thread=run.thread_id)
        return memory.as_prompt(self.reflections.list(run.thread_id), session.last_run, relevant)

    def _history(self, run: RunState) -> tuple[InboundMessage, ...]:
        """The thread's newest messages; nothing is lost with them but context, so Discord's refusal is no failure."""
        try:
            return self.discord.history(ChannelId(run.thread_id), limit=_HISTORY)
        except (DiscordRefused, DiscordUnavailable) as error:
            self.chronicle.note(run.thread_id, run.execution_id, "history_unavailable", reason=str(error))
            return ()

    def _ask(self, run: RunState, facts: dict[str, object], purse: Purse) -> PlanReply:
        request = ModelRequest(
            Purpose.PLAN,
            self.models.for_purpose(Purpose.PLAN),
            (
                Message(Role.SYSTEM, self.prompts.render("plan")),
                Message(Role.USER, self.prompts.render("plan_request", **facts)),
            ),
        )
        try:
            return ask(purse, request, PlanReply)[0]
        except (ModelUnavailable, ModelRefused, InvalidReply, OverBudget) as error:
            self.chronicle.note(
                run.thread_id, run.execution_id, "plan_failed", reason=f"{type(error).__name__}: {error}"
            )
            return PlanReply(task_type=run.task_type, agent_role=run.role, complexity=run.complexity, estimated_turns=0)

    def _title(self, run: RunState, record: ExecutionRecord, purse: Purse) -> None:
        """Name the thread; the name it was opened with stays when that fails."""
        request = ModelRequest(
            Purpose.TITLE,
            self.models.for_purpose(Purpose.TITLE),
            (
                Message(Role.SYSTEM, self.prompts.render("title")),
                Message(Role.USER, self.prompts.render("title_request", text=record.request[: routing.TITLE_INPUT])),
            ),
            max_output_tokens=100,
        )
        try:
            reply, _ = ask(purse, request, TitleReply)
            self.discord.rename(ChannelId(run.thread_id), reply.title)
        except (ModelUnavailable, ModelRefused, InvalidReply, OverBudget, DiscordRefused, DiscordUnavailable) as error:
            self.chronicle.note(run.thread_id, run.execution_id, "title_failed", reason=type(error).__name__)

    def _with_plan(self, run: RunState, manifest: Manifest, plan: PlanReply) -> Manifest:
        files = {
            f"{AGENT_FOLDER}/plans/{run.topic}.md": plan.plan_content.encode(),
            f"{AGENT_FOLDER}/instructions/{run.topic}.md": plan.instruction_content.encode(),
        }
        return self.workspaces.add_files(run.thread_id, manifest, files)

    def _open_context(self, run: RunState, facts: dict[str, object], plan: PlanReply) -> None:
        messages = (
            Message(Role.SYSTEM, self.prompts.render(f"roles/{run.role}")),
            Message(Role.USER, self.prompts.render("task", **(facts | {"plan": plan, "run": run}))),
        )
        opened = self.journal.load_context(run) or Context((), turn=0)
        self.journal.save_context(run, replace(opened, messages=messages, reached=run))
