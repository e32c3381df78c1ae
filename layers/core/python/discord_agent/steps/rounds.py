"""One round of a turn: a model call and the tool calls it asks for, journalled so that nothing runs twice."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from discord_agent.domain import control_tools, history, signals
from discord_agent.domain.control_tools import Control, Finished
from discord_agent.domain.conversation import (
    Message,
    ModelReply,
    ModelRequest,
    Purpose,
    Role,
    ToolCall,
    ToolResult,
)
from discord_agent.domain.errors import InvalidInput, LeaseLost
from discord_agent.domain.run import RunState
from discord_agent.domain.session import InboxItem, ItemKind, Lease
from discord_agent.domain.workspace import Manifest
from discord_agent.ports import (
    Journal,
    JournaledRound,
    LanguageModel,
    Leases,
    Prompts,
    Sessions,
    ToolBox,
    ToolRound,
    WorkspaceAccess,
)

_INTERRUPTED = (
    "Interrupted before its result was saved. The workspace is as it was before this call; "
    "call the tool again if you still need it."
)
_STOPPED = "Not run: somebody asked to stop."
_NOTED = "Noted."


@dataclass(frozen=True, slots=True)
class PlayedRound:
    """A finished round: what was heard and answered, and what the tools gave; ``manifest`` is the one after it."""

    heard: tuple[Message, ...]
    reply: ModelReply
    results: tuple[ToolResult, ...]
    manifest: Manifest

    @property
    def control(self) -> Control | None:
        """How the round ends the turn, if it does: the first control call that was accepted."""
        accepted = {result.call_id for result in self.results if result.ok and result.name in control_tools.NAMES}
        calls = (call for call in self.reply.message.tool_calls if call.id in accepted)
        return next(map(control_tools.parse, calls), None)

    @property
    def messages(self) -> tuple[Message, ...]:
        """What the round adds to the message list."""
        answers = tuple(Message(Role.TOOL, result.text, tool_call_id=result.call_id) for result in self.results)
        return (*self.heard, self.reply.message, *answers)

    @property
    def work(self) -> tuple[ToolResult, ...]:
        """The results of real tools, without the control tools."""
        return tuple(result for result in self.results if result.name not in control_tools.NAMES)


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Follows a round while it is played: may ask to stop, is told which tools are about to run, and that time passes."""

    stop_requested: Callable[[], bool]
    on_calls: Callable[[tuple[ToolCall, ...]], None]
    meanwhile: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Rounds:
    """Plays the rounds of a turn."""

    model: LanguageModel
    toolbox: ToolBox
    journal: Journal
    leases: Leases
    sessions: Sessions
    prompts: Prompts

    def replay(
        self, run: RunState, lease: Lease, turn: int, number: int, entry: JournaledRound, manifest: Manifest
    ) -> PlayedRound:
        """A round from the journal; what was under way when the earlier attempt died is reported as interrupted."""
        if entry.results is None:
            entry = self._interrupt(run, lease, turn, number, entry)
        self._forget_heard(run, entry.heard)
        return PlayedRound(entry.heard, entry.reply, entry.results or (), entry.manifest or manifest)

    def play(
        self,
        run: RunState,
        lease: Lease,
        turn: int,
        number: int,
        messages: tuple[Message, ...],
        manifest: Manifest,
        onlooker: Onlooker,
    ) -> PlayedRound:
        """A new round; raises Stopped while the model is asked, LeaseLost when a newer attempt took over."""
        items = self.sessions.waiting(run.thread_id, ItemKind.STEER)
        heard = tuple(self._as_message(item) for item in items)
        request = ModelRequest(
            Purpose.TURN,
            run.model,
            history.repaired(messages + heard),
            tools=(*self.toolbox.specs(run.thread_id), *control_tools.SPECS),
        )
        reply = with_unique_call_ids(self.model.complete(request, stop_requested=onlooker.stop_requested), turn, number)
        entry = self._journal_reply(run, lease, turn, number, JournaledRound(reply, heard))
        if entry.reply is not reply:
            return self.replay(run, lease, turn, number, entry, manifest)
        self.sessions.remove(items)
        done = self._run_tools(run, reply, manifest, onlooker)
        results = _with_control(reply, done.results)
        self.journal.record_results(run, turn, number, results, done.manifest)
        return PlayedRound(heard, reply, results, done.manifest or manifest)

    def _journal_reply(
        self, run: RunState, lease: Lease, turn: int, number: int, entry: JournaledRound
    ) -> JournaledRound:
        """Journal a reply, or adopt the one that a dying earlier attempt slipped in first."""
        if not self.leases.holds(lease):
            raise LeaseLost(f"a newer attempt works on turn {turn} of {run.execution_id}")
        try:
            self.journal.record_reply(run, turn, number, entry.reply, entry.heard)
        except LeaseLost:
            return self._adopt(run, lease, turn, number)
        return entry

    def _interrupt(self, run: RunState, lease: Lease, turn: int, number: int, entry: JournaledRound) -> JournaledRound:
        """Journal that the tools were interrupted, or adopt the results that the earlier attempt still got in."""
        results = _with_control(entry.reply, _not_run(_work_calls(entry.reply), _INTERRUPTED))
        try:
            self.journal.record_results(run, turn, number, results, None)
        except LeaseLost:
            return self._adopt(run, lease, turn, number)
        return replace(entry, results=results)

    def _adopt(self, run: RunState, lease: Lease, turn: int, number: int) -> JournaledRound:
        if not self.leases.holds(lease):
            raise LeaseLost(f"a newer attempt works on turn {turn} of {run.execution_id}")
        return self.journal.rounds(run, turn)[number]

    def _run_tools(self, run: RunState, reply: ModelReply, manifest: Manifest, onlooker: Onlooker) -> ToolRound:
        calls = _work_calls(reply)
        if not calls:
            return ToolRound((), None)
        if onlooker.stop_requested():
            return ToolRound(_not_run(calls, _STOPPED), None)
        onlooker.on_calls(calls)
        access = WorkspaceAccess(run.thread_id, run.execution_id, manifest)
        return self.toolbox.run(calls, access, meanwhile=onlooker.meanwhile, stop_requested=onlooker.stop_requested)

    def has_unheard(self, run: RunState) -> bool:
        """Whether people said something that no round was given yet."""
        return bool(self.sessions.waiting(run.thread_id, ItemKind.STEER))

    def _as_message(self, item: InboxItem) -> Message:
        text = self.prompts.render("heard", message_id=item.message_id, author=item.author_name, content=item.said)
        return Message(Role.USER, text)

    def _forget_heard(self, run: RunState, heard: tuple[Message, ...]) -> None:
        items = self.sessions.waiting(run.thread_id, ItemKind.STEER) if heard else ()
        self.sessions.remove(item for item in items if self._as_message(item) in heard)


def with_unique_call_ids(reply: ModelReply, turn: int, number: int) -> ModelReply:
    """The reply with call ids that are unique in the run: some models repeat theirs in every reply."""
    calls = tuple(replace(call, id=f"t{turn}r{number}c{index}") for index, call in enumerate(reply.message.tool_calls))
    return replace(reply, message=replace(reply.message, tool_calls=calls))


def _work_calls(reply: ModelReply) -> tuple[ToolCall, ...]:
    return tuple(call for call in reply.message.tool_calls if call.name not in control_tools.NAMES)


def _not_run(calls: tuple[ToolCall, ...], text: str) -> tuple[ToolResult, ...]:
    return tuple(ToolResult(call.id, call.name, ok=False, text=text, facts={"interrupted": True}) for call in calls)


def _with_control(reply: ModelReply, work: tuple[ToolResult, ...]) -> tuple[ToolResult, ...]:
    """A result per call, in the order of the calls, those of the control tools among them."""
    failed = tuple(result.name for result in work if signals.is_failure(result))
    by_id = {result.call_id: result for result in work}
    return tuple(by_id.get(call.id) or _control_result(call, failed) for call in reply.message.tool_calls)


def _control_result(call: ToolCall, failed: tuple[str, ...]) -> ToolResult:
    """Whether a control call counts; finishing beside a call that failed does not, as its result was not seen yet."""
    try:
        control = control_tools.parse(call)
    except InvalidInput as error:
        return ToolResult(call.id, call.name, ok=False, text=f"Not accepted: {error}")
    if isinstance(control, Finished) and failed:
        names = ", ".join(dict.fromkeys(failed))
        return ToolResult(call.id, call.name, ok=False, text=f"Not accepted: {names} failed; read the result first.")
    return ToolResult(call.id, call.name, ok=True, text=_NOTED)
