"""Lambda entry of the step ``escalation``."""

from discord_agent.loading import loading

with loading():
    from discord_agent.bootstrap import work
    from discord_agent.entrypoint import run_step

# The machine's choice after it is a state too.
handler = run_step(work.escalation, transitions=2)
