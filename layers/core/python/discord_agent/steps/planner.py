"""Asking the planner, and keeping what it answers within bounds."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from discord_agent.domain import memory, planning, routing
from discord_agent.domain.conversation import Image, Message, ModelRequest, Purpose, Role
from discord_agent.domain.errors import (
    DiscordRefused,
    DiscordUnavailable,
    InvalidReply,
    ModelRefused,
    ModelUnavailable,
    OverBudget,
)
from discord_agent.domain.ids import ChannelId
from discord_agent.domain.memory import Reflection
from discord_agent.domain.run import RunState
from discord_agent.domain.session import ExecutionRecord, Lease, Session
from discord_agent.ports import Clock, Discord, LanguageModel, Models, Prompts, Reflections
from discord_agent.replies import PlanReply, TitleReply
from discord_agent.steps.asking import ask
from discord_agent.steps.chronicle import Chronicle

_NO_EVIDENCE: Final = "reflection: nothing is known to have gone wrong before, so it is not kept"


class Planner(Struct, frozen=True):
    """A planner that cannot be used costs the plan, not the run; what it gets wrong is set right and told."""

    models: Models
    prompts: Prompts
    reflections: Reflections
    discord: Discord
    chronicle: Chronicle
    clock: Clock

    def plan(
        self,
        run: RunState,
        session: Session,
        facts: Mapping[str, object],
        pictures: Mapping[Image, bytes],
        purse: LanguageModel,
        lease: Lease,
    ) -> PlanReply:
        """A usable plan; the reasons for whatever was changed in it are in the audit trail."""
        request = ModelRequest(
            Purpose.PLAN,
            self.models.for_purpose(Purpose.PLAN),
            (
                Message(Role.SYSTEM, self.prompts.render("plan")),
                Message(Role.USER, self.prompts.render("plan_request", **facts), images=tuple(pictures)),
            ),
            image_bytes={image.path: content for image, content in pictures.items()},
        )
        try:
            reply, spent = ask(purse, request, PlanReply)
        except (ModelUnavailable, ModelRefused, InvalidReply, OverBudget) as error:
            self.chronicle.note(
                run.thread_id, run.execution_id, "plan_failed", reason=f"{type(error).__name__}: {error}"
            )
            return PlanReply(task_type=run.task_type, agent_role=run.role, complexity=run.complexity, estimated_turns=0)
        plan, cut = _bounded(reply, session)
        reasons = (*spent.adjusted, *cut, *self._keep_reflection(run, session, plan, lease))
        if reasons:
            self.chronicle.note(run.thread_id, run.execution_id, "plan_adjusted", reasons=list(reasons))
        return plan

    def title(self, run: RunState, record: ExecutionRecord, purse: LanguageModel) -> None:
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

    def _keep_reflection(self, run: RunState, session: Session, plan: PlanReply, lease: Lease) -> tuple[str, ...]:
        """What the planner makes of the last run, kept if there is evidence; the reason if it is not."""
        if plan.reflection is None or not plan.reflection.says_something:
            return ()
        last = session.last_run
        if last is None or not last.issues:
            return (_NO_EVIDENCE,)
        reflection = Reflection(
            memory.name_of(run.execution_id, "plan"),
            self.clock.now(),
            run.execution_id,
            last.score,
            **plan.reflection.model_dump(),
            evidence=" ".join(last.issues),
        )
        self.reflections.add(run.thread_id, reflection, lease=lease)
        return ()


def _bounded(plan: PlanReply, session: Session) -> tuple[PlanReply, tuple[str, ...]]:
    task, task_reasons = planning.bounded("reformulated_prompt", plan.reformulated_prompt, planning.TASK_LIMIT)
    content, plan_reasons = planning.bounded("plan_content", plan.plan_content, planning.PLAN_LIMIT)
    rules, rule_reasons = planning.bounded("instruction_content", plan.instruction_content, planning.PLAN_LIMIT)
    slug = planning.topic(plan.topic_slug, is_new=plan.is_new_topic, before=session.topic)
    renamed = (f"topic_slug: {plan.topic_slug} goes on as {slug}",) if slug != plan.topic_slug else ()
    changes = {
        "reformulated_prompt": task,
        "plan_content": content,
        "instruction_content": rules,
        "topic_slug": slug,
    }
    return plan.model_copy(update=changes), (*task_reasons, *plan_reasons, *rule_reasons, *renamed)
