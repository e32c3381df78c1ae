from pathlib import Path

from devstack.commands import table

DOCUMENT = Path(__file__).parents[3] / "docs" / "COMMANDS.md"


def test_the_documented_commands_are_those_that_exist() -> None:
    """After a change of the declaration: put what ``discord-agent commands`` prints into the document."""
    assert table() in DOCUMENT.read_text(encoding="utf-8")
