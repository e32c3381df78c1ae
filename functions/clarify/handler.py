"""Lambda entry of the step ``clarify``: parks a run with a task token."""

from discord_agent.bootstrap import work
from discord_agent.entrypoint import Context, Event, composed, run_of, text_of

_clarify = composed(work.clarify)


def handler(event: Event, _context: Context) -> Event:
    """Take ``{run, task_token}``; the machine waits for the token, so nothing is returned."""
    _clarify()(run_of(event), text_of(event, "task_token"))
    return {}
