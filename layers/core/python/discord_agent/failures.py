"""The three ways in which a failure arrives, each brought to ``steps.fail``."""

from copy import replace
from typing import Any, Final

from msgspec import Struct

from discord_agent.adapters.codec import from_json
from discord_agent.adapters.discord.inbound import BotIdentity, parse
from discord_agent.adapters.logging import correlated
from discord_agent.domain.errors import InvalidEvent
from discord_agent.domain.ids import ExecutionId, MessageId, ThreadId, UserId, is_decision
from discord_agent.domain.inbound import InboundMessage
from discord_agent.domain.run import RunState, StepFailure
from discord_agent.entrypoint import Event, bodies, json_object
from discord_agent.envelope import Envelope
from discord_agent.steps.fail import Fail

_STATUS_CHANGE: Final = "Step Functions Execution Status Change"
_FAILED: Final = "FAILED"


class Failures(Struct, frozen=True):
    """Tells a catcher's run, an execution's status event and dead letters apart."""

    fail: Fail
    bot: BotIdentity

    def __call__(self, event: Event) -> None:
        """Bring about one terminal message for whatever failed."""
        if event.get("detail-type") == _STATUS_CHANGE:
            self._execution_ended(event.get("detail", {}))
        elif "Records" in event:
            for body in bodies(event):
                self._dead_letter(_readable(body))
        else:
            self._run_failed(from_json(RunState, event))

    def _run_failed(self, run: RunState) -> None:
        with correlated(execution_id=run.execution_id, thread_id=run.thread_id):
            self.fail.run_failed(run)

    def _execution_ended(self, detail: dict[str, Any]) -> None:
        """``input`` is the state the execution began with; what it reached since lies in its record."""
        data = json_object(str(detail.get("input") or "{}"))
        name = ExecutionId(str(detail.get("name", "")))
        status = str(detail.get("status") or "Unknown")
        # Who stops an execution may give any error; only that of a failed one has a meaning here.
        error = str(detail.get("error") or status) if status == _FAILED else status
        failure = StepFailure(error, str(detail.get("cause") or ""))
        if is_decision(name):
            self.fail.decision_failed(replace(from_json(RunState, data.get("run")), failure=failure))
        else:
            self._run_failed(replace(from_json(RunState, data), failure=failure))

    def _dead_letter(self, body: Event) -> None:
        if {"thread_id", "author_id", "message_id"} <= body.keys():
            self.fail.wakeup_lost(
                ThreadId(str(body["thread_id"])), UserId(str(body["author_id"])), MessageId(str(body["message_id"]))
            )
            return
        inbound = self._inbound(body)
        if isinstance(inbound, InboundMessage):
            self.fail.message_lost(inbound)
        else:
            self.fail.event_lost(body)

    def _inbound(self, body: Event) -> object:
        try:
            envelope = Envelope.of_document(body)
            return parse(envelope.event, envelope.data, self.bot)
        except InvalidEvent:
            return None


def _readable(body: str) -> Event:
    """What no attempt could even read is recorded like any lost event: put back, it would come again for weeks."""
    try:
        return json_object(body)
    except InvalidEvent:
        return {}
