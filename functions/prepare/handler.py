"""Lambda entry of the step ``prepare``."""

from discord_agent.loading import loading

with loading():
    from discord_agent.bootstrap import work
    from discord_agent.entrypoint import run_step

handler = run_step(work.prepare)
