"""Lambda entry of ``classify``: wake-ups for authors who have messages waiting."""

from discord_agent import bootstrap
from discord_agent.entrypoint import queue_step

handler = queue_step(bootstrap.classify, fifo=False)
