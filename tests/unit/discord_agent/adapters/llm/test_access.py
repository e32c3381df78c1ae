import pytest

from discord_agent.adapters.llm.access import ModelAccess, provider_secret
from discord_agent.domain.errors import InvalidSettings


def test_with_a_gateway_the_secret_is_its_key() -> None:
    assert ModelAccess.from_secret("abc", "http://gateway") == ModelAccess("http://gateway", "abc")


def test_providers_keys_travel_through_the_secret() -> None:
    secret = provider_secret({"ANTHROPIC_API_KEY": "one", "GEMINI_API_KEY": "two", "HOME": "/", "OPENAI_API_KEY": ""})

    assert ModelAccess.from_secret(secret, "").provider_keys == {"anthropic": "one", "gemini": "two"}


def test_without_any_key_there_is_no_secret() -> None:
    assert provider_secret({"HOME": "/"}) == ""


@pytest.mark.parametrize("secret", ["", "plain-key", "{}", "[1]", '{"anthropic": 1}'])
def test_without_a_gateway_a_secret_of_another_shape_is_refused_with_the_remedy(secret: str) -> None:
    with pytest.raises(InvalidSettings, match="LITELLM_BASE_URL"):
        ModelAccess.from_secret(secret, "")


def test_keys_are_never_shown() -> None:
    access = ModelAccess("http://gateway", "the-key", {"anthropic": "another-key"})

    assert "the-key" not in repr(access)
    assert "another-key" not in repr(access)
