"""The invitation asks for what the product's calls take, no more and no less."""

import ast
from pathlib import Path

import pytest

from deployment.cli.bot import NEEDED, clean, permissions
from devstack.discord import permissions as discord
from discord_agent.domain.errors import InvalidSettings

ROOT = Path(__file__).parents[4]
CALLERS = (
    ROOT / "layers" / "core" / "python" / "discord_agent" / "adapters" / "discord" / "rest.py",
    ROOT / "gateway_bridge" / "backfill.py",
)


def calls_in_channels() -> set[tuple[str, str]]:
    """Method and template of every call that is written out and needs the bot's rights in a server."""
    found = set()
    for path in CALLERS:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Name(id="Call"),
                    args=[ast.Constant(value=str(method)), ast.Constant(value=str(template)), *_],
                ) if template.startswith(("/channels", "/guilds")):
                    found.add((method, template))
    return found


def test_every_call_of_the_product_has_its_permissions_and_none_is_asked_for_in_vain() -> None:
    assert calls_in_channels() == set(NEEDED)


def test_the_invitation_asks_for_what_the_development_stack_gives_the_bot() -> None:
    assert int(permissions()) == int(discord.BOT) == 326_417_632_320


@pytest.mark.parametrize("pasted", ["Bot {}", ' "{}" \n', "{}"])
def test_a_token_is_taken_as_people_paste_it(pasted: str) -> None:
    token = "MTI5MDAwMDAwMDAwMDAwMDIwMA.abcdef.0123456789012345678901234567"
    assert clean(pasted.format(token)) == token


@pytest.mark.parametrize("other", ["", "a.b.c", "f" * 64, "MTI5MDAwMDAwMDAwMDAwMDIwMA", "x y.z.0" * 12])
def test_what_is_no_token_is_refused(other: str) -> None:
    with pytest.raises(InvalidSettings, match="no bot token"):
        clean(other)
