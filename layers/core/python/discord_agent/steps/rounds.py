"""One round of a turn: a model call and the tool calls it asks for, journalled so that nothing runs twice."""

from collections.abc import Callable
from copy import replace

from msgspec import Struct

from discord_agent.domain import control_tools, history, outputs, signals
from discord_agent.domain.control_tools import Control, Ending, Finished, Reported
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
from discord_agent.domain.interrupts import Interrupt
from discord_agent.domain.outputs import Bounded
from discord_agent.domain.run import RunState
from discord_agent.domain.session import Lease
from discord_agent.domain.workspace import Manifest
from discord_agent.ports import (
    Journal,
    JournaledRound,
    Leases,
    ToolBox,
    ToolRound,
    WorkspaceAccess,
    Workspaces,
)
from discord_agent.steps import showing
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.hearing import ENDING, Hearing
from discord_agent.steps.spending import Purse

_INTERRUPTED = (
    "Interrupted before its result was saved. The workspace is as it was before this call; "
    "call the tool again if you still need it."
)
_STOPPED = "Not run: somebody asked to stop."
_NOTED = "Noted."


class PlayedRound(Struct, frozen=True):
    """A finished round: what was heard and answered, and what the tools gave; ``manifest`` is the one after it."""

    heard: tuple[Message, ...]
    reply: ModelReply
    results: tuple[ToolResult, ...]
    manifest: Manifest
    interrupts: tuple[Interrupt, ...] = ()

    @property
    def was_asked(self) -> bool:
        """Whether the model was asked at all, instead of people ending the turn."""
        return ENDING.isdisjoint(self.interrupts)

    @property
    def is_empty(self) -> bool:
        """Whether the model was asked and answered nothing."""
        message = self.reply.message
        return self.was_asked and not message.text.strip() and not message.tool_calls

    @property
    def controls(self) -> tuple[Control, ...]:
        """The control calls that were accepted, in order."""
        accepted = {result.call_id for result in self.results if result.ok and result.name in control_tools.NAMES}
        return tuple(control_tools.parse(call) for call in self.reply.message.tool_calls if call.id in accepted)

    @property
    def control(self) -> Ending | None:
        """How the model ends the turn, if it does: the first of its calls that does so."""
        return next((control for control in self.controls if not isinstance(control, Reported)), None)

    @property
    def work(self) -> tuple[ToolResult, ...]:
        """The results of real tools, without the control tools."""
        return tuple(result for result in self.results if result.name not in control_tools.NAMES)

    def onto(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """The message list that the round makes of the one before it."""
        said = () if self.is_empty or not self.was_asked else (self.reply.message,)
        answers = tuple(Message(Role.TOOL, result.text, tool_call_id=result.call_id) for result in self.results)
        return (*_before(messages, self.interrupts), *self.heard, *said, *answers)


class Onlooker(Struct, frozen=True):
    """Follows a round while it is played.

    It may ask to stop, is told which tools are about to run, that time passes, and what the model has said so far.
    """

    stop_requested: Callable[[], bool]
    on_calls: Callable[[tuple[ToolCall, ...]], None]
    meanwhile: Callable[[], None]
    on_text: Callable[[str], None]


class Rounds(Struct, frozen=True):
    """Plays the rounds of a turn."""

    toolbox: ToolBox
    workspaces: Workspaces
    journal: Journal
    leases: Leases
    hearing: Hearing
    chronicle: Chronicle

    def replay(
        self, run: RunState, lease: Lease, turn: int, number: int, entry: JournaledRound, manifest: Manifest
    ) -> PlayedRound:
        """A round from the journal; what was under way when the earlier attempt died is reported as interrupted."""
        if entry.results is None:
            entry = self._interrupt(run, lease, turn, number, entry, manifest)
        self.hearing.forget(run, entry)
        return PlayedRound(entry.heard, entry.reply, entry.results or (), entry.manifest or manifest, entry.interrupts)

    def play(
        self,
        run: RunState,
        lease: Lease,
        turn: int,
        number: int,
        messages: tuple[Message, ...],
        manifest: Manifest,
        purse: Purse,
        onlooker: Onlooker,
    ) -> PlayedRound:
        """A new round; raises Stopped while the model is asked, LeaseLost when a newer attempt took over.

        OverBudget and ContextTooLong come before anything happened.
        """
        heard = self.hearing.listen(run)
        manifest, found = self.hearing.take_in(run, heard.items, manifest), manifest
        if ENDING.isdisjoint(heard.interrupts):
            asked = (*_before(messages, heard.interrupts), *heard.messages)
            images = showing.image_bytes(self.workspaces, run.thread_id, manifest, asked)
            request = replace(self.request(run, asked), image_bytes=images)
            answer = purse.complete(request, stop_requested=onlooker.stop_requested, on_text=onlooker.on_text)
        else:
            answer = ModelReply(Message(Role.ASSISTANT), run.model)
        bounded = outputs.bounded(with_unique_call_ids(answer, turn, number))
        mine = JournaledRound(bounded.reply, heard.messages, interrupts=heard.interrupts, paid_from=purse.slice_id)
        entry = self._journal_reply(run, lease, turn, number, mine)
        if entry is not mine:
            return self.replay(run, lease, turn, number, entry, found)
        self._note_cuts(run, turn, number, bounded)
        done = self._keep_long_outputs(run, manifest, self._run_tools(run, bounded, manifest, onlooker))
        results = _with_control(bounded.reply, done.results)
        results = outputs.with_left_out(results, len(answer.message.tool_calls) - len(results))
        changed = done.manifest or (manifest if manifest != found else None)
        self.journal.record_results(run, turn, number, results, changed)
        # Not earlier: the files that came with them are in the workspace only now.
        self.hearing.sessions.remove(heard.items)
        return PlayedRound(heard.messages, bounded.reply, results, changed or manifest, heard.interrupts)

    def request(self, run: RunState, messages: tuple[Message, ...]) -> ModelRequest:
        """What the model is asked with such a conversation."""
        tools = (*self.toolbox.specs(run.thread_id), *control_tools.SPECS)
        return ModelRequest(Purpose.TURN, run.model, history.repaired(messages), tools=tools)

    def _journal_reply(
        self, run: RunState, lease: Lease, turn: int, number: int, entry: JournaledRound
    ) -> JournaledRound:
        """Journal a reply, or adopt the one that a dying earlier attempt slipped in first."""
        if not self.leases.holds(lease):
            raise LeaseLost(f"a newer attempt works on turn {turn} of {run.execution_id}")
        try:
            self.journal.record_reply(run, turn, number, entry)
        except LeaseLost:
            return self._adopt(run, lease, turn, number)
        return entry

    def _interrupt(
        self, run: RunState, lease: Lease, turn: int, number: int, entry: JournaledRound, manifest: Manifest
    ) -> JournaledRound:
        """Journal that the tools were interrupted, or adopt the results that the earlier attempt still got in."""
        results = _with_control(entry.reply, _not_run(_work_calls(entry.reply), _INTERRUPTED))
        taken_in = self.hearing.take_in(run, self.hearing.heard_in(run, entry), manifest)
        changed = taken_in if taken_in != manifest else None
        try:
            self.journal.record_results(run, turn, number, results, changed)
        except LeaseLost:
            return self._adopt(run, lease, turn, number)
        return replace(entry, results=results, manifest=changed)

    def _adopt(self, run: RunState, lease: Lease, turn: int, number: int) -> JournaledRound:
        if not self.leases.holds(lease):
            raise LeaseLost(f"a newer attempt works on turn {turn} of {run.execution_id}")
        return self.journal.rounds(run, turn)[number]

    def _run_tools(self, run: RunState, bounded: Bounded, manifest: Manifest, onlooker: Onlooker) -> ToolRound:
        calls = tuple(call for call in _work_calls(bounded.reply) if call.id not in bounded.refused)
        refused = tuple(outputs.refusal(call) for call in _work_calls(bounded.reply) if call.id in bounded.refused)
        if not calls:
            return ToolRound(refused, None)
        if onlooker.stop_requested():
            return ToolRound((*_not_run(calls, _STOPPED), *refused), None)
        onlooker.on_calls(calls)
        access = WorkspaceAccess(run.thread_id, run.execution_id, manifest)
        try:
            done = self.toolbox.run(calls, access, meanwhile=onlooker.meanwhile, stop_requested=onlooker.stop_requested)
        except InvalidInput as error:
            # The calls do not fit into one invocation: nothing ran, and the model can write less at once.
            return ToolRound((*(_failed(call, f"Not run: {error}") for call in calls), *refused), None)
        return replace(done, results=(*done.results, *refused))

    def _keep_long_outputs(self, run: RunState, manifest: Manifest, done: ToolRound) -> ToolRound:
        """Show both ends of a long result and keep the whole of it as a file; one that no file may hold is only cut."""
        results = tuple(replace(result, text=outputs.well_formed(result.text)) for result in done.results)
        files = {outputs.kept_at(result): outputs.whole_of(result) for result in results if outputs.is_too_long(result)}
        if not files:
            return replace(done, results=results)
        kept: Manifest | None = done.manifest
        try:
            kept = self.workspaces.add_files(run.thread_id, done.manifest or manifest, files)
            note = "the whole output is in {}"
        except InvalidInput as error:
            note = f"the whole output could not be kept: {error}"
        shown = tuple(outputs.shortened(result, note.format(outputs.kept_at(result))) for result in results)
        return ToolRound(shown, kept)

    def _note_cuts(self, run: RunState, turn: int, number: int, bounded: Bounded) -> None:
        if bounded.cuts:
            self.chronicle.note(
                run.thread_id, run.execution_id, "reply_cut", turn=turn, round=number + 1, reasons=list(bounded.cuts)
            )


def with_unique_call_ids(reply: ModelReply, turn: int, number: int) -> ModelReply:
    """The reply with call ids that are unique in the run: some models repeat theirs in every reply."""
    calls = tuple(replace(call, id=f"t{turn}r{number}c{index}") for index, call in enumerate(reply.message.tool_calls))
    return replace(reply, message=replace(reply.message, tool_calls=calls))


def _before(messages: tuple[Message, ...], interrupts: tuple[Interrupt, ...]) -> tuple[Message, ...]:
    """What the model is to go on from: whoever asks for a retry wants its last answer forgotten."""
    return history.without_last_answer(messages) if Interrupt.RETRY in interrupts else messages


def _work_calls(reply: ModelReply) -> tuple[ToolCall, ...]:
    return tuple(call for call in reply.message.tool_calls if call.name not in control_tools.NAMES)


def _not_run(calls: tuple[ToolCall, ...], text: str) -> tuple[ToolResult, ...]:
    return tuple(ToolResult(call.id, call.name, ok=False, text=text, facts={"interrupted": True}) for call in calls)


def _failed(call: ToolCall, text: str) -> ToolResult:
    return ToolResult(call.id, call.name, ok=False, text=text)


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
        return _failed(call, f"Not accepted: {error}")
    if isinstance(control, Finished) and failed:
        names = ", ".join(dict.fromkeys(failed))
        return _failed(call, f"Not accepted: {names} failed; read the result first.")
    return ToolResult(call.id, call.name, ok=True, text=_NOTED)
