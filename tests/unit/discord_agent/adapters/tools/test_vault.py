import pytest

from discord_agent.adapters.tools.vault import ToolSecrets
from discord_agent.domain.errors import InvalidInput, InvalidSettings
from discord_agent.domain.ids import GuildId

HERE = GuildId("1")
VALUES = '{"kube": {"value": "t0ken", "guilds": ["1"]}, "mine": {"value": "x", "guilds": ["direct"]}}'


def vault(text: str = VALUES) -> ToolSecrets:
    return ToolSecrets(lambda: text)


def test_an_entry_is_released_to_the_guilds_it_lists() -> None:
    assert vault().value("kube", HERE) == "t0ken"
    assert vault().value("mine", None) == "x"


@pytest.mark.parametrize(("name", "guild"), [("kube", GuildId("2")), ("kube", None), ("mine", HERE), ("other", HERE)])
def test_another_guild_is_told_the_same_as_one_that_asks_for_what_does_not_exist(name: str, guild: GuildId) -> None:
    with pytest.raises(InvalidInput, match=f"no secret '{name}'"):
        vault().value(name, guild)


def test_an_empty_secret_holds_nothing() -> None:
    with pytest.raises(InvalidInput, match="no secret"):
        vault("").value("kube", HERE)


@pytest.mark.parametrize("text", ["{", '{"kube": "t0ken"}', '{"kube": {"value": ["t0ken"], "guilds": ["1"]}}'])
def test_a_malformed_secret_is_reported_without_its_values(text: str) -> None:
    with pytest.raises(InvalidSettings, match="tool-secrets") as caught:
        vault(text).value("kube", HERE)
    assert "t0ken" not in str(caught.value)
    assert caught.value.__cause__ is None
