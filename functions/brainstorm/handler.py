"""Lambda entry of the step ``brainstorm``: one voice of a run."""

from discord_agent.loading import loading

with loading(models=True):
    from discord_agent.bootstrap import answers
    from discord_agent.entrypoint import voice_step

handler = voice_step(answers.brainstorm)
