"""Lambda entry of the step ``brainstorm``: one voice of a run."""

from discord_agent import bootstrap
from discord_agent.entrypoint import voice_step

handler = voice_step(bootstrap.brainstorm)
