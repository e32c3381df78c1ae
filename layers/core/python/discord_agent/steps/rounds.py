"""One round of a turn: a model call and the tool calls it asks for, journalled so that nothing runs twice."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from discord_agent.domain import control_tools
from discord_agent.domain.control_tools import Control
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
    """A finished round: what was heard and answered, what the tools gave, and how it ends the turn, if it does."""

    heard: tuple[Message, ...]
    reply: ModelReply
    results: tuple[ToolResult, ...]
    manifest: Manifest
    control: Control | None
    replayed: bool = False

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
class Rounds:
    """Plays the rounds of a turn; ``on_calls`` is told which tools are about to run."""

    model: LanguageModel
    toolbox: ToolBox
    journal: Journal
    leases: Leases
    sessions: Sessions
    prompts: Prompts

    def replay(self, run: RunState, turn: int, number: int, entry: JournaledRound, manifest: Manifest) -> PlayedRound:
        """A round from the journal; what was under way when the earlier attempt died is reported as interrupted."""
        results = entry.results
        if results is None:
            results = self._control_results(entry.reply) + tuple(
                ToolResult(call.id, call.name, ok=False, text=_INTERRUPTED, facts={"interrupted": True})
                for call in _work_calls(entry.reply)
            )
            results = _in_order(entry.reply, results)
            self.journal.record_results(run, turn, number, results, None)
        self._forget_heard(run, entry.heard)
        return PlayedRound(
            entry.heard, entry.reply, results, entry.manifest or manifest, _control(entry.reply), replayed=True
        )

    def play(
        self,
        run: RunState,
        lease: Lease,
        turn: int,
        number: int,
        messages: tuple[Message, ...],
        manifest: Manifest,
        *,
        stop_requested: Callable[[], bool],
        on_calls: Callable[[tuple[ToolCall, ...]], None],
    ) -> PlayedRound:
        """A new round; raises Stopped while the model is asked, LeaseLost when a newer attempt took over."""
        items = self.sessions.waiting(run.thread_id, ItemKind.STEER)
        heard = tuple(self._as_message(item) for item in items)
        request = ModelRequest(
            Purpose.TURN, run.model, messages + heard, tools=(*self.toolbox.specs(), *control_tools.SPECS)
        )
        reply = with_unique_call_ids(self.model.complete(request, stop_requested=stop_requested), turn, number)
        entry = self._journal_reply(run, lease, turn, number, JournaledRound(reply, heard))
        if entry.reply is not reply:
            return self.replay(run, turn, number, entry, manifest)
        self.sessions.remove(items)
        results, changed = self._run_tools(run, reply, manifest, stop_requested, on_calls)
        self.journal.record_results(run, turn, number, results, changed)
        return PlayedRound(heard, reply, results, changed or manifest, _control(reply))

    def _journal_reply(
        self, run: RunState, lease: Lease, turn: int, number: int, entry: JournaledRound
    ) -> JournaledRound:
        """Journal a reply, or adopt the one that a dying earlier attempt slipped in first."""
        if not self.leases.holds(lease):
            raise LeaseLost(f"a newer attempt works on turn {turn} of {run.execution_id}")
        try:
            self.journal.record_reply(run, turn, number, entry.reply, entry.heard)
        except LeaseLost:
            if not self.leases.holds(lease):
                raise
            return self.journal.rounds(run, turn)[number]
        return entry

    def _run_tools(
        self,
        run: RunState,
        reply: ModelReply,
        manifest: Manifest,
        stop_requested: Callable[[], bool],
        on_calls: Callable[[tuple[ToolCall, ...]], None],
    ) -> tuple[tuple[ToolResult, ...], Manifest | None]:
        calls = _work_calls(reply)
        control = self._control_results(reply)
        if not calls:
            return _in_order(reply, control), None
        if stop_requested():
            skipped = tuple(ToolResult(call.id, call.name, ok=False, text=_STOPPED) for call in calls)
            return _in_order(reply, control + skipped), None
        on_calls(calls)
        done = self.toolbox.run(calls, WorkspaceAccess(run.thread_id, run.execution_id, manifest))
        return _in_order(reply, control + done.results), done.manifest

    def _control_results(self, reply: ModelReply) -> tuple[ToolResult, ...]:
        results = []
        for call in reply.message.tool_calls:
            if call.name in control_tools.NAMES:
                try:
                    control_tools.parse(call)
                except InvalidInput as error:
                    results.append(ToolResult(call.id, call.name, ok=False, text=f"Not accepted: {error}"))
                else:
                    results.append(ToolResult(call.id, call.name, ok=True, text=_NOTED))
        return tuple(results)

    def _as_message(self, item: InboxItem) -> Message:
        text = self.prompts.render("heard", message_id=item.message_id, author=item.author_name, content=item.content)
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


def _control(reply: ModelReply) -> Control | None:
    """The first control call that is valid."""
    for call in reply.message.tool_calls:
        if call.name in control_tools.NAMES:
            try:
                return control_tools.parse(call)
            except InvalidInput:
                continue
    return None


def _in_order(reply: ModelReply, results: tuple[ToolResult, ...]) -> tuple[ToolResult, ...]:
    by_id = {result.call_id: result for result in results}
    return tuple(by_id[call.id] for call in reply.message.tool_calls)
