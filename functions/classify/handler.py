"""Lambda entry of ``classify``: wake-ups for authors who have messages waiting."""

from discord_agent.loading import loading

with loading(models=True):
    from discord_agent.bootstrap import wakeups
    from discord_agent.entrypoint import queue_step

handler = queue_step(wakeups.classify, fifo=False)
