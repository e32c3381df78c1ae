"""The registry's figures beside the price map that litellm brings along, which it names as their source."""

import json
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from discord_agent.adapters.folders import find_root
from discord_agent.adapters.llm.registry import ModelRegistry
from discord_agent.domain.ids import ModelName

REGISTRY = ModelRegistry.load(find_root() / "models.yaml")
LISTED = [(model, place) for model in REGISTRY.names for place in REGISTRY.providers(model)]


def price_map() -> dict[str, Any]:
    package = find_spec("litellm")
    assert package is not None
    assert package.origin is not None
    file = Path(package.origin).parent / "model_prices_and_context_window_backup.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


MAP = price_map()


def facts(place: str) -> dict[str, Any]:
    """What the map says of an id; it leaves out the providers that litellm knew first."""
    found: dict[str, Any] = MAP.get(place) or MAP[place.partition("/")[2]]
    return found


def per_million(value: Any) -> Decimal:
    return Decimal(str(value)) * 1_000_000


@pytest.mark.parametrize(("model", "place"), LISTED)
def test_a_conversation_fits_whoever_answers(model: ModelName, place: str) -> None:
    assert REGISTRY.context(model) <= facts(place)["max_input_tokens"]
    assert REGISTRY.output(model) <= facts(place)["max_output_tokens"]
    assert facts(place)["supports_function_calling"] is True


@pytest.mark.parametrize(("model", "place"), LISTED)
def test_only_models_that_see_are_shown_pictures(model: ModelName, place: str) -> None:
    assert REGISTRY.vision(model) == facts(place).get("supports_vision", False)


@pytest.mark.parametrize("model", [model for model in REGISTRY.names if REGISTRY.providers(model)])
def test_cached_prices_are_those_of_the_first_provider(model: ModelName) -> None:
    found = facts(REGISTRY.providers(model)[0])
    steps = found.get("tiered_pricing") or [found | {"range": [0, 0]}]
    for step in steps:
        price = REGISTRY.price(model, int(step["range"][0]) + 1)
        fresh = price.input if price else None
        assert price is not None
        assert price.cached_input == per_million(step.get("cache_read_input_token_cost", (fresh or 0) / 1_000_000))
        # At some providers writing to a cache costs nothing; to count it like fresh input is the bound.
        if step.get("cache_creation_input_token_cost"):
            assert price.cache_write == per_million(step["cache_creation_input_token_cost"])


@pytest.mark.parametrize("model", ["qwen3-coder-plus", "qwen3-max"])
def test_long_requests_cost_what_the_map_says(model: str) -> None:
    for step in facts(REGISTRY.providers(ModelName(model))[0])["tiered_pricing"]:
        price = REGISTRY.price(ModelName(model), int(step["range"][0]) + 1)
        assert price is not None
        assert (price.input, price.output) == (
            per_million(step["input_cost_per_token"]),
            per_million(step["output_cost_per_token"]),
        )
