"""How models are reached: one gateway, or the providers themselves."""

import json
from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field

from discord_agent.domain.errors import InvalidSettings
from discord_agent.domain.hiding import shown

PROVIDER_VARIABLES: Final = {
    "ANTHROPIC_API_KEY": "anthropic",
    "AWS_BEARER_TOKEN_BEDROCK": "bedrock",
    "DASHSCOPE_API_KEY": "dashscope",
    "GEMINI_API_KEY": "gemini",
    "MINIMAX_API_KEY": "minimax",
    "MOONSHOT_API_KEY": "moonshot",
    "OPENAI_API_KEY": "openai",
    "ZAI_API_KEY": "zai",
}
"""The variables in which people keep providers' keys, and litellm's names of the providers."""


class ModelAccess(Struct, frozen=True):
    """Through the gateway at ``base_url`` with ``key``, or directly with a key per provider."""

    base_url: str = ""
    key: str = ""
    provider_keys: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return shown(self, without=("key", "provider_keys"))

    @staticmethod
    def from_secret(secret: str, base_url: str) -> "ModelAccess":
        """Read the stored key: the gateway's key as plain text, or a JSON object of keys by provider."""
        if base_url:
            return ModelAccess(base_url, secret)
        try:
            keys = json.loads(secret)
        except ValueError:
            keys = None
        if not (isinstance(keys, dict) and keys and all(isinstance(key, str) for key in keys.values())):
            raise InvalidSettings(
                "no model can be reached: set LITELLM_BASE_URL and store the gateway's key, "
                'or store a JSON object of keys by provider, such as {"anthropic": "…"}'
            )
        return ModelAccess(provider_keys=keys)


def provider_secret(variables: Mapping[str, str]) -> str:
    """The providers' keys found in an environment, as the secret to store; empty when there are none."""
    keys = {provider: variables[name] for name, provider in PROVIDER_VARIABLES.items() if variables.get(name)}
    return json.dumps(keys) if keys else ""
