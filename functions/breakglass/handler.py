"""Lambda entry of the step ``breakglass``."""

from discord_agent.loading import loading

with loading(models=True):
    from discord_agent.bootstrap import answers
    from discord_agent.entrypoint import run_step

handler = run_step(answers.breakglass)
