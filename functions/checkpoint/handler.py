"""Lambda entry of the step ``checkpoint``."""

from discord_agent.loading import loading

with loading():
    from discord_agent.bootstrap import work
    from discord_agent.entrypoint import run_step

handler = run_step(work.checkpoint)
