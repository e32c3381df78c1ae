"""Lambda entry of the step ``reflect``."""

from discord_agent.bootstrap import endings
from discord_agent.entrypoint import run_step

handler = run_step(endings.reflect)
