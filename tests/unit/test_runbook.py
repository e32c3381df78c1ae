"""What the documentation tells operators to type exists."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import botocore.session
import pytest
from botocore import xform_name

from devstack import cli
from discord_agent.system import SYSTEM

ROOT: Final = Path(__file__).parents[2]
RUNBOOK: Final = ROOT / "docs" / "RUNBOOK.md"
PAGES: Final = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md"])
GLOBAL_OPTIONS: Final = {"cli-binary-format", "max-items", "no-cli-pager", "output", "profile", "query", "region"}
"""What the AWS CLI takes for every operation."""
NAMES: Final = {"s3api": "s3"}
"""Services that the AWS CLI calls otherwise."""
OF_THE_CLI: Final = {("sso", "login")}
"""Commands that are no operations of a service."""
SESSION: Final = botocore.session.get_session()


def commands(text: str, program: str) -> Iterator[list[str]]:
    """The words of every call of a program in a page's code, those inside ``$(…)`` and in sentences included."""
    blocks = re.findall(r"```(?:bash|sh)\n(.*?)```", text, flags=re.DOTALL)
    sentences = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    pieces = [*blocks, *re.findall(r"`([^`\n]+)`", sentences)]
    for line in "\n".join(pieces).replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="();|&<>")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if set(word) <= set("();|&<>"):
                if words[:1] == [program] and len(words) > 1:
                    yield words
                words = []
            else:
                words.append(word)


def fault(words: list[str]) -> str:
    """Why there is no such command of the AWS CLI; "" if there is."""
    _, name, operation, *rest = words
    if (name, operation) in OF_THE_CLI:
        return ""
    service = NAMES.get(name, name)
    if service not in SESSION.get_available_services():
        return f"no service {service}"
    if operation == "wait":
        waiters = {xform_name(name, "-") for name in SESSION.get_waiter_model(service).waiter_names}
        return "" if rest[0] in waiters else f"no waiter {rest[0]}"
    model = SESSION.get_service_model(service)
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    if operation not in operations:
        return f"no operation {operation} of {service}"
    shape: Any = model.operation_model(operations[operation]).input_shape
    members = {xform_name(name, "-"): member for name, member in shape.members.items()} if shape else {}
    switches = {f"no-{name}" for name, member in members.items() if member.type_name == "boolean"}
    given = {word.removeprefix("--").partition("=")[0] for word in rest if word.startswith("--")}
    unknown = given - members.keys() - switches - GLOBAL_OPTIONS
    missing = {xform_name(name, "-") for name in (shape.required_members if shape else [])} - given
    return f"unknown {sorted(unknown)}, missing {sorted(missing)}" if unknown or missing else ""


def headings() -> set[str]:
    return set(re.findall(r"^## (.+)$", RUNBOOK.read_text(encoding="utf-8"), flags=re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_aws_command_names_an_operation_and_options_that_exist(page: Path) -> None:
    faults = {" ".join(words): fault(words) for words in commands(page.read_text(encoding="utf-8"), "aws")}
    assert {command: why for command, why in faults.items() if why} == {}


def test_the_runbook_is_full_of_commands() -> None:
    assert len(list(commands(RUNBOOK.read_text(encoding="utf-8"), "aws"))) > 30


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("aws sqs receive-message --queue-url x --max-number-of-messages 10", ""),
        ("aws lambda update-event-source-mapping --no-enabled --uuid x --region r", ""),
        ("aws dynamodb wait table-exists --table-name x", ""),
        ("aws sqs receive-messages --queue-url x", "no operation receive-messages of sqs"),
        ("aws sqs receive-message --queue x", "unknown ['queue'], missing ['queue-url']"),
        ("aws step-functions list-executions", "no service step-functions"),
        ("aws dynamodb wait table-ready", "no waiter table-ready"),
        ("aws ecs update-service --service x --no-service", "unknown ['no-service'], missing []"),
    ],
)
def test_a_command_that_does_not_exist_is_found_out(command: str, why: str) -> None:
    assert fault(command.split()) == why


def test_our_own_commands_are_what_the_parser_takes() -> None:
    parser = cli.parser()
    for words in commands(RUNBOOK.read_text(encoding="utf-8"), "discord-agent"):
        assert callable(parser.parse_args(words[1:]).run), words


def test_every_alarm_leads_to_a_section() -> None:
    assert {alarm.runbook for alarm in SYSTEM.alarms.values()} <= headings()
    anchors = {f"docs/RUNBOOK.md#{heading.lower().replace(' ', '-').replace("'", '')}" for heading in headings()}
    assert {alarm.anchor for alarm in SYSTEM.alarms.values()} <= anchors


def test_every_name_of_ours_in_a_command_is_declared() -> None:
    text = RUNBOOK.read_text(encoding="utf-8")
    functions = {function.physical_name for function in SYSTEM.functions.values()}
    machines = {machine.physical_name for machine in SYSTEM.machines.values()}
    groups = {function.log_group for function in SYSTEM.functions.values()}
    groups |= {service.log_group for service in SYSTEM.services.values()}
    assert set(re.findall(r"--function-name (discord-agent-[a-z_]+)", text)) <= functions
    assert set(re.findall(r"(?:stateMachine|execution):(discord-agent-[a-z_]+)", text)) <= machines
    assert set(re.findall(r"--log-group-name (\S+)", text)) <= groups
    assert set(re.findall(r"`(/discord-agent/[a-z-]+)`", text)) == set(SYSTEM.secrets.values())
    tables = {table.name for table in SYSTEM.tables.values()}
    assert set(re.findall(r"--(?:source-)?table-name (\S+)", text)) - {"discord_sessions_restored"} <= tables
    queues = {queue.name for queue in SYSTEM.queues.values()}
    assert set(re.findall(r"ACCOUNT[:/]([a-z_]+_dead(?:\.fifo)?)", text)) <= queues
