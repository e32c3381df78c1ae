"""Lambda entry of the step ``commit``."""

from discord_agent.loading import loading

with loading():
    from discord_agent.bootstrap import endings
    from discord_agent.entrypoint import run_step

handler = run_step(endings.commit)
