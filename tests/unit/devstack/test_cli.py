from pathlib import Path

from devstack.cli import model_access
from discord_agent.adapters.llm.access import PROVIDER_VARIABLES

EXAMPLE = Path(__file__).parents[3] / ".env.example"


def _example() -> dict[str, str]:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_example_environment_names_what_is_read_and_holds_no_secret() -> None:
    discord = {"DISCORD_TOKEN", "DISCORD_GUILD_ID"}
    of_init = {"GIT_CREDENTIALS", "TOOL_SECRETS"}
    assert set(_example()) == {"LITELLM_BASE_URL", "LITELLM_API_KEY", *PROVIDER_VARIABLES, *discord, *of_init}
    assert not any(_example().values())


def test_with_the_example_as_it_is_the_scripted_model_plays() -> None:
    assert not model_access(_example()).is_real


def test_a_gateway_goes_before_providers() -> None:
    gateway = {"LITELLM_BASE_URL": "http://127.0.0.1:4000", "LITELLM_API_KEY": "gateway"}
    chosen = model_access({**_example(), **gateway, "OPENAI_API_KEY": "provider"})
    assert (chosen.base_url, chosen.key) == ("http://127.0.0.1:4000", "gateway")
