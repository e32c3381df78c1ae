"""Lambda entry of ``fail``: from a catcher, from an execution's status event, from dead letters."""

from discord_agent.loading import loading

with loading():
    from discord_agent.bootstrap import endings
    from discord_agent.entrypoint import Context, Event, accounted, composed

_fail = composed(endings.fail)


@accounted
def handler(event: Event, _context: Context) -> Event:
    """Take a run with its failure, an EventBridge event, or a batch of dead letters."""
    _fail()(event)
    return {}
