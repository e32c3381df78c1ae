"""Whom to ask when a model is wanted: itself at each of its providers, then those that stand in for it."""

from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from discord_agent.adapters.llm.access import ModelAccess
from discord_agent.adapters.llm.registry import ModelRegistry
from discord_agent.adapters.llm.wire import Reader
from discord_agent.domain.conversation import Json
from discord_agent.domain.errors import ModelRefused
from discord_agent.domain.hiding import shown
from discord_agent.domain.ids import ModelName

# Under "openai/" litellm sends some models to the Responses API, and OpenAI's client spends milliseconds on every
# message it sends again; this way any server that speaks chat completions gets what it is given.
_GATEWAY: Final = "hosted_vllm"
_STAND_INS: Final = 2
"""So many others are asked at most: what fails at three makers is no fault of one of them."""


class Target(Struct, frozen=True):
    """A model really called: the arguments that reach it, how a request is written for it, and who translates that."""

    name: ModelName
    arguments: Json
    reader: Reader
    through_gateway: bool = False

    def __repr__(self) -> str:
        return shown(self, without=("arguments",))


def targets(model: ModelName, registry: ModelRegistry, access: ModelAccess) -> tuple[Target, ...]:
    """At least one; ModelRefused when no provider serves the model or one like it."""
    if access.base_url:
        url = _with_version(access.base_url)
        names = (model, *registry.fallbacks(model)[:_STAND_INS])
        return tuple(
            Target(
                name,
                {"model": f"{_GATEWAY}/{name}", "api_base": url, "api_key": access.key},
                registry.reader(name),
                through_gateway=True,
            )
            for name in names
        )
    return _direct(model, registry, access)


def _direct(model: ModelName, registry: ModelRegistry, access: ModelAccess) -> tuple[Target, ...]:
    keys = access.provider_keys
    nearest = registry.reachable(model, keys.keys())
    if nearest is None:
        raise ModelRefused(f"none of the configured providers serves {model} or a model like it")
    others = [name for name in registry.fallbacks(model) if name != nearest and registry.ids(name, keys.keys())]
    return tuple(
        Target(name, {"model": listed, "api_key": keys[listed.partition("/")[0]]}, registry.reader(name))
        for name in (nearest, *others[:_STAND_INS])
        for listed in registry.ids(name, keys.keys())
    )


def _with_version(base_url: str) -> str:
    """``http://litellm:4000`` means its ``/v1``; a URL with a path is taken as it is."""
    url = base_url.rstrip("/")
    return url if urlsplit(url).path else f"{url}/v1"
