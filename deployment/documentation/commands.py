"""The slash commands as a table."""

from deployment.documentation.tables import table
from discord_agent.domain.commands import COMMANDS, Command, Option


def commands() -> str:
    """One row for each command; a ``?`` marks an option that may be left out."""
    rows = ((f"`/{each.name}`", _options(each), each.needs, each.description) for each in COMMANDS)
    return table(("command", "options", "needs", "what it does"), rows)


def _options(command: Command) -> str:
    return ", ".join(map(_option, command.options)) or "none"


def _option(option: Option) -> str:
    choices = f": {' / '.join(option.choices)}" if option.choices else ""
    bounds = f": {option.least} to {option.most}" if option.least is not None and option.most is not None else ""
    return f"`{option.name}`{'' if option.required else '?'}{choices}{bounds}"
