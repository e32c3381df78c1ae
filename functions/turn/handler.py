"""Lambda entry of the step ``turn``."""

from discord_agent.loading import loading

with loading(models=True):
    from discord_agent.bootstrap import turning
    from discord_agent.entrypoint import run_step

handler = run_step(turning.turn)
