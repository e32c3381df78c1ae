"""The slash commands as data: registration, reading of options and documentation all come from this table."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import IntEnum
from typing import Final

from msgspec import Struct, field

from discord_agent.domain import policy
from discord_agent.domain.errors import InvalidInput
from discord_agent.domain.inbound import CommandInvoked
from discord_agent.domain.layout import short


class OptionKind(IntEnum):
    """What an option holds; the numbers are Discord's."""

    TEXT = 3
    INTEGER = 4
    SWITCH = 5
    USER = 6
    THREAD = 7
    ROLE = 8
    NUMBER = 10


class Option(Struct, frozen=True):
    """A value that a command takes; ``least`` and ``most`` bound a number, or the length of a text."""

    name: str
    description: str
    kind: OptionKind = OptionKind.TEXT
    required: bool = False
    choices: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None


class Command(Struct, frozen=True):
    """A command; a name of two words is a subcommand. ``needs`` is what the policy is asked before anything else."""

    name: str
    description: str
    needs: policy.Action = policy.Action.SEE
    options: tuple[Option, ...] = ()


type Value = str | int | bool | Decimal


class Invocation(Struct, frozen=True):
    """A command that somebody used, with its values by option, read and within bounds."""

    command: Command
    values: Mapping[str, Value] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A value as text; "" when it was not given."""
        return str(self.values.get(name, ""))

    def number(self, name: str, default: int) -> int:
        """A whole number, or ``default``."""
        value = self.values.get(name)
        return value if isinstance(value, int) else default

    def flag(self, name: str) -> bool:
        """Whether a switch was turned on."""
        return self.values.get(name) is True

    def amount(self, name: str) -> Decimal | None:
        """A decimal number, or None."""
        value = self.values.get(name)
        return value if isinstance(value, Decimal) else None


def _of(enumeration: type[policy.Reading] | type[policy.Verbosity] | type[policy.Action]) -> tuple[str, ...]:
    return tuple(member.value for member in enumeration)


HERE: Final = "channel"
EVERYWHERE: Final = "server"
MOST_LOGS: Final = 20
_WHERE = Option("where", "For this channel only (default), or for the whole server", choices=(HERE, EVERYWHERE))
_WHO = (
    Option("user", "The person", OptionKind.USER),
    Option("role", "The role", OptionKind.ROLE),
)
_WHAT = Option("action", "What they may do", required=True, choices=_of(policy.Action))
_PERIODS = ("run", "user_day", "user_month", "guild_day", "guild_month")
_ITEM = Option("item", "Its mark in /memory list, such as i3fa9c2", required=True, most=10)
_CONFIGURE = policy.Action.CONFIGURE

GROUPS: Final = {
    "workspace": "The files of this thread",
    "memory": "What was learned from earlier runs",
    "budget": "Money: what was spent and what may be",
    "settings": "How the bot behaves here",
}
"""What commands of two words have in common, by their first word."""

COMMANDS: Final = (
    Command("help", "What you can ask me to do"),
    Command("status", "What is going on in this thread, and why"),
    Command(
        "workspace list",
        "The files of this thread, or of another one that you can see",
        options=(Option("thread_name", "Another thread", OptionKind.THREAD),),
    ),
    Command(
        "workspace sync", "Save the workspace and copy its files to where people can browse them", policy.Action.RUN
    ),
    Command("workspace clean", "Empty the workspace; /workspace restore undoes it", _CONFIGURE),
    Command("workspace restore", "Undo the last /workspace clean", _CONFIGURE),
    Command(
        "workspace upload",
        "Post a file of the workspace here",
        options=(Option("file_path", "Path inside the workspace", required=True, most=900),),
    ),
    Command(
        "flow",
        "Choose how the next message is worked on",
        policy.Action.RUN,
        (
            Option(
                "type",
                "The way of working",
                required=True,
                choices=("sequential", "sequential-thinking", "branch", "simple", "breakglass"),
            ),
        ),
    ),
    Command(
        "logs",
        "The newest runs and how they ended",
        options=(Option("count", "How many (default 5)", OptionKind.INTEGER, least=1, most=MOST_LOGS),),
    ),
    Command("confidence", "How sure I am of the work here, and how that moved"),
    Command("escalation", "When stronger models took over, and why"),
    Command("memory list", "What I learned in this thread and on this server"),
    Command(
        "memory edit",
        "Put something I learned differently",
        # What is learned reaches the models of everybody in the guild.
        _CONFIGURE,
        (_ITEM, Option("text", "What it should say", required=True, most=500)),
    ),
    Command("memory forget", "Forget something I learned", policy.Action.STEER, (_ITEM,)),
    Command("stop", "Stop the run at work in this thread", policy.Action.STOP),
    Command("retry", "Take up the newest run of this thread again", policy.Action.RUN),
    Command(
        "rewind",
        "Go back to how the files and the conversation were after an earlier turn",
        policy.Action.STEER,
        (Option("turn", "The turn to go back to", OptionKind.INTEGER, required=True, least=0, most=1000),),
    ),
    Command("budget show", "What was spent, and what may be"),
    Command(
        "budget limit",
        "Set a limit on spending for this server",
        _CONFIGURE,
        (
            Option("period", "What the limit counts", required=True, choices=_PERIODS),
            Option("dollars", "The limit; leave it out for none", OptionKind.NUMBER, least=0, most=100_000),
        ),
    ),
    Command("settings show", "The settings that hold here"),
    Command(
        "settings reading",
        "Which messages I consider",
        _CONFIGURE,
        (Option("what", "The messages", required=True, choices=_of(policy.Reading)), _WHERE),
    ),
    Command(
        "settings verbosity",
        "How much of a run its card shows",
        _CONFIGURE,
        (Option("level", "How much", required=True, choices=_of(policy.Verbosity)), _WHERE),
    ),
    Command(
        "settings repository",
        "The git repository that runs work on",
        _CONFIGURE,
        (Option("url", "https address; leave it out for none", most=500), _WHERE),
    ),
    Command(
        "settings pause",
        "How long I wait for your next message before I start",
        _CONFIGURE,
        (Option("seconds", "0 to 900", OptionKind.INTEGER, required=True, least=0, most=900), _WHERE),
    ),
    Command("settings permit", "Let a person or a role do more", _CONFIGURE, (_WHAT, *_WHO, _WHERE)),
    Command("settings revoke", "Take such a permit back", _CONFIGURE, (_WHAT, *_WHO, _WHERE)),
    Command(
        "settings servers",
        "Which tool servers (MCP) runs may use",
        _CONFIGURE,
        (Option("names", "Names, separated by commas; leave it out for none", most=500), _WHERE),
    ),
    Command(
        "settings credential",
        "Lend a program a secret of the deployment, in this channel only",
        _CONFIGURE,
        (
            Option("program", "The program, such as kubectl", required=True, most=60),
            Option("secret", "The secret's name; leave it out to lend none", most=100),
            Option("variable", "The variable that gets it", most=60),
            Option("file", "Whether the variable names a file that holds it", OptionKind.SWITCH),
        ),
    ),
)

_BY_NAME: Final = {command.name: command for command in COMMANDS}


def find(name: str) -> Command | None:
    """The command of a name."""
    return _BY_NAME.get(name)


def read(command: Command, event: CommandInvoked) -> Invocation:
    """The values of an invocation; InvalidInput, as a sentence for people, when one is missing or out of bounds.

    Options the command does not know are left out: Discord may still show an older registration.
    """
    given = dict(event.options)
    missing = [option.name for option in command.options if option.required and option.name not in given]
    if missing:
        raise InvalidInput(f"/{command.name} needs {', '.join(f'`{name}`' for name in missing)}.")
    known = (option for option in command.options if option.name in given)
    return Invocation(command, {option.name: _value(option, given[option.name]) for option in known})


def _value(option: Option, text: str) -> Value:
    match option.kind:
        case OptionKind.INTEGER:
            return _bounded(option, _parsed(option, text, int))
        case OptionKind.NUMBER:
            return _bounded(option, _parsed(option, text, Decimal))
        case OptionKind.SWITCH:
            return text == "true"
        case _:
            return _text(option, text.strip())


def _text(option: Option, text: str) -> str:
    if option.choices and text not in option.choices:
        raise InvalidInput(f"`{option.name}` is one of {', '.join(option.choices)}.")
    if option.most is not None and len(text) > option.most:
        raise InvalidInput(f"`{option.name}` has at most {option.most} characters.")
    return text


def _parsed[N: (int, Decimal)](option: Option, text: str, parse: type[N]) -> N:
    try:
        return parse(text)
    except (ValueError, InvalidOperation) as error:
        raise InvalidInput(f"`{option.name}` is a number, not {short(text, 40)!r}.") from error


def _bounded[N: (int, Decimal)](option: Option, number: N) -> N:
    is_number = Decimal(number).is_finite()
    if not is_number or (option.least or 0) > number or (option.most is not None and number > option.most):
        raise InvalidInput(f"`{option.name}` lies between {option.least or 0} and {option.most}.")
    return number
