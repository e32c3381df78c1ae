"""Lambda entry of the step ``clarify``: parks a run with a task token."""

from discord_agent.loading import loading

with loading():
    from discord_agent.bootstrap import work
    from discord_agent.entrypoint import Context, Event, accounted, at_work, composed, run_of, text_of

_clarify = composed(work.clarify)


@accounted
def handler(event: Event, context: Context) -> Event:
    """Take ``{run, task_token}``; the machine waits for the token, so nothing is returned."""
    clarify, run = _clarify(), run_of(event)
    with at_work(run, context):
        clarify(run, text_of(event, "task_token"))
    return {}
