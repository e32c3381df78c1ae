"""Lambda entry of ``intake``: events from Discord, in order per thread."""

from discord_agent import bootstrap
from discord_agent.entrypoint import queue_step

handler = queue_step(bootstrap.intake, fifo=True)
