"""Lambda entry of the step ``breakglass``."""

from discord_agent import bootstrap
from discord_agent.entrypoint import run_step

handler = run_step(bootstrap.breakglass)
