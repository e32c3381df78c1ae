"""Lambda entry of ``intake``: events from Discord, in order per thread."""

from discord_agent.loading import loading

with loading():
    from discord_agent.bootstrap import inbound
    from discord_agent.entrypoint import queue_step

handler = queue_step(inbound.intake, fifo=True)
