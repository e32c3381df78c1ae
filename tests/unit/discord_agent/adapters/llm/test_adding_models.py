"""The page about adding models, held to what it says."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from discord_agent.adapters.llm.access import ModelAccess
from discord_agent.adapters.llm.registry import ListedModel, ListedPrice, ModelRegistry
from discord_agent.adapters.llm.targets import targets
from discord_agent.domain.errors import InvalidSettings
from discord_agent.domain.ids import ModelName

ROOT = Path(__file__).parents[5]
PAGE = (ROOT / "docs" / "ADDING-MODELS.md").read_text(encoding="utf-8")
NEW = ModelName("example-coder-2")


def examples() -> list[dict[str, Any]]:
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]


def with_examples(tmp_path: Path, *added: dict[str, Any]) -> ModelRegistry:
    """The registry's own file with examples put into it."""
    data = yaml.safe_load((ROOT / "prompts" / "models.yaml").read_text(encoding="utf-8"))
    for example in added:
        for part, entries in example.items():
            data[part] |= entries
    file = tmp_path / "models.yaml"
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    return ModelRegistry.load(file)


def test_one_entry_adds_a_model(tmp_path: Path) -> None:
    entry, _ = examples()
    registry = with_examples(tmp_path, entry)
    price = registry.price(NEW)

    assert price is not None
    assert (price.input, price.cached_input, price.output) == (Decimal("0.80"), Decimal("0.08"), Decimal(4))
    assert (registry.context(NEW), registry.output(NEW), registry.vision(NEW)) == (262_144, 32_768, True)
    [target] = targets(NEW, registry, ModelAccess(provider_keys={"openai": "key"}))
    assert target.arguments["model"] == "openai/example-coder-2"


def test_a_place_in_a_tier_gives_it_roles_and_peers(tmp_path: Path) -> None:
    registry = with_examples(tmp_path, *examples())

    assert registry.for_role("dba") == NEW
    assert registry.breakglass("Example") == NEW
    assert registry.supports_tools(NEW)
    assert registry.next_up(NEW) == "claude-sonnet-4.5"
    assert set(registry.fallbacks(NEW)) == set(registry.tier("tier3")) - {NEW}


def test_a_place_in_a_tier_without_an_entry_is_refused(tmp_path: Path) -> None:
    _, seats = examples()
    with pytest.raises(InvalidSettings, match=NEW):
        with_examples(tmp_path, seats)


def test_the_page_tells_every_field() -> None:
    told = set(re.findall(r"`(\w+)`", PAGE))

    assert {*ListedModel.__struct_fields__, *ListedPrice.__struct_fields__} - {"above"} <= told
    assert "above" in PAGE


def test_every_entry_of_the_registry_says_what_it_can() -> None:
    data = yaml.safe_load((ROOT / "prompts" / "models.yaml").read_text(encoding="utf-8"))

    assert [name for name, entry in data["models"].items() if not {"context", "output"} <= entry.keys()] == []
