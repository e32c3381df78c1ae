"""Lambda entry of ``approval``: waits for a decision with a task token, or carries one out."""

from discord_agent.loading import loading

with loading():
    from discord_agent.bootstrap import endings
    from discord_agent.domain.ids import MessageId, UserId
    from discord_agent.domain.session import Decision
    from discord_agent.entrypoint import Context, Event, accounted, at_work, composed, run_of, text_of

_await_decision = composed(endings.await_decision)
_carry_out = composed(endings.carry_out)


@accounted
def handler(event: Event, context: Context) -> Event:
    """Take ``{run, message_id, task_token}`` or ``{run, message_id, decision, by}``."""
    run, message = run_of(event), MessageId(text_of(event, "message_id"))
    if "task_token" in event:
        await_decision = _await_decision()
        with at_work(run, context):
            await_decision(run, message, text_of(event, "task_token"))
        return {}
    carry_out, by = _carry_out(), event.get("by")
    with at_work(run, context):
        carry_out(run, message, Decision(text_of(event, "decision")), UserId(by) if isinstance(by, str) else None)
    return event
