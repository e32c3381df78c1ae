"""Lambda entry of the step ``frame``."""

from discord_agent import bootstrap
from discord_agent.entrypoint import run_step

handler = run_step(bootstrap.frame)
