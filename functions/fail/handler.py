"""Lambda entry of ``fail``: from a catcher, from an execution's status event, from dead letters."""

<<<<<<< HEAD
from discord_agent.bootstrap import endings
from discord_agent.entrypoint import Context, Event, accounted, composed
=======
from discord_agent.loading import loading

with loading():
    from discord_agent.bootstrap import endings
    from discord_agent.entrypoint import Context, Event, composed
>>>>>>> 03e6bb2 (Pack git in a layer of its own, leave out what nothing imports, and start without the garbage collector)

_fail = composed(endings.fail)


@accounted
def handler(event: Event, _context: Context) -> Event:
    """Take a run with its failure, an EventBridge event, or a batch of dead letters."""
    _fail()(event)
    return {}
