import json
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.adapters.llm.registry import ModelRegistry
from discord_agent.domain.classification import AgentRole, TaskType
from discord_agent.domain.conversation import Purpose
from discord_agent.domain.errors import InvalidSettings
from discord_agent.domain.ids import ModelName
from discord_agent.domain.money import Price

FILE = Path(__file__).parents[5] / "prompts" / "models.yaml"
REGISTRY = ModelRegistry.load(FILE)
any_model = st.sampled_from(REGISTRY.names)

OPUS = ModelName("claude-opus-4.5")
SONNET = ModelName("claude-sonnet-4.5")


@pytest.mark.parametrize(
    ("tier", "models"),
    [
        ("tier1", ("mistral-nemo", "gpt-oss-120b:exacto", "general", "gemini-2.5-flash-lite")),
        ("tier2", ("minimax-m2.1", "gpt-5.1-codex-mini", "gemini-3-flash", "glm-4.7")),
        ("tier3", ("qwen3-coder-plus", "gpt-5.1-codex-max", "gemini-3-pro", "claude-sonnet-4.5")),
        ("tier4", ("qwen3-max", "gpt-5.2-codex", "claude-sonnet-4.5", "claude-opus-4.5")),
    ],
)
def test_the_tiers_have_the_models_of_the_contract_in_its_order(tier: str, models: tuple[str, ...]) -> None:
    assert REGISTRY.tier(tier) == models


@pytest.mark.parametrize(
    ("role", "model"),
    [
        ("command-executor", "gemini-3-flash"),
        ("python-coder", "gpt-5.1-codex-mini"),
        ("js-ts-coder", "minimax-m2.1"),
        ("devops-engineer", "claude-sonnet-4.5"),
        ("architect", "claude-opus-4.5"),
        ("code-reviewer", "claude-sonnet-4.5"),
        ("documentation-writer", "qwen3-coder-plus"),
        ("dba", "gemini-3-pro"),
        ("researcher", "gpt-5.1-codex-mini"),
        ("shell-commander", "minimax-m2.1"),
        ("a role nobody knows", "minimax-m2.1"),
    ],
)
def test_each_role_has_the_model_of_the_contract(role: str, model: str) -> None:
    assert REGISTRY.for_role(role) == model


@pytest.mark.parametrize(
    ("task", "model"),
    [
        ("technical-qa", "claude-sonnet-4.5"),
        ("architecture-analysis", "claude-sonnet-4.5"),
        ("doc-search", "minimax-m2.1"),
        ("explanation", "gemini-3-flash"),
        ("social", "mistral-nemo"),
        ("general-convo", "general"),
        ("writing", "gpt-5.1-codex-max"),
        ("shell-command", "minimax-m2.1"),
        ("proofreader", "mistral-nemo"),
        ("coding-implementation", "general"),
    ],
)
def test_each_task_without_tools_has_the_model_of_the_contract(task: str, model: str) -> None:
    assert REGISTRY.for_task(task) == model


@pytest.mark.parametrize(
    ("model", "price"),
    [
        ("mistral-nemo", ("0.02", "0.04")),
        ("general", ("0.10", "0.40")),
        ("gemini-2.5-flash-lite", ("0.10", "0.40")),
        ("minimax-m2.1", ("0.30", "1.20")),
        ("gpt-5.1-codex-mini", ("0.25", "2")),
        ("gemini-3-flash", ("0.50", "3")),
        ("glm-4.7", ("0.54", "1.98")),
        ("qwen3-coder-plus", ("1", "5")),
        ("gpt-5.1-codex-max", ("1.25", "10")),
        ("gemini-3-pro", ("2", "12")),
        ("claude-sonnet-4.5", ("3", "15")),
        ("qwen3-max", ("1.20", "6")),
        ("gpt-5.2-codex", ("1.75", "14")),
        ("claude-opus-4.5", ("5", "25")),
    ],
)
def test_prices_are_those_of_the_contract(model: str, price: tuple[str, str]) -> None:
    listed = REGISTRY.price(ModelName(model))

    assert listed is not None
    assert (listed.input, listed.output) == tuple(map(Decimal, price))


@given(any_model, st.integers(0, 2_000_000))
def test_cached_tokens_never_cost_more_and_written_ones_never_less(model: ModelName, tokens: int) -> None:
    price = REGISTRY.price(model, tokens)

    assert price is None or price.cached_input <= price.input <= (price.cache_write or price.input)


def test_without_a_price_of_their_own_cached_tokens_cost_like_fresh_ones() -> None:
    assert REGISTRY.price(ModelName("qwen3-max")) == Price(Decimal("1.20"), Decimal("1.20"), Decimal(6))


@pytest.mark.parametrize(
    ("tokens", "paid"), [(0, "1"), (32_000, "1"), (32_001, "1.80"), (128_001, "3"), (900_000, "6")]
)
def test_a_long_request_costs_what_its_step_says(tokens: int, paid: str) -> None:
    price = REGISTRY.price(ModelName("qwen3-coder-plus"), tokens)

    assert price is not None
    assert price.input == Decimal(paid)


def test_sizes_and_sight_are_listed() -> None:
    assert REGISTRY.context(SONNET) == 200_000
    assert REGISTRY.output(SONNET) == 64_000
    assert REGISTRY.vision(SONNET)
    assert not REGISTRY.vision(ModelName("qwen3-max"))


def test_an_unknown_model_is_treated_with_care() -> None:
    nobody = ModelName("a model nobody knows")

    assert REGISTRY.context(nobody) <= min(map(REGISTRY.context, REGISTRY.names))
    assert REGISTRY.output(nobody) <= min(map(REGISTRY.output, REGISTRY.names))
    assert not REGISTRY.vision(nobody)
    assert REGISTRY.fallbacks(nobody) == ()


def test_another_makers_model_of_the_tier_stands_in_first() -> None:
    assert REGISTRY.fallbacks(OPUS) == ("qwen3-max", "gpt-5.2-codex", "claude-sonnet-4.5")
    assert REGISTRY.fallbacks(ModelName("general")) == ("mistral-nemo", "gemini-2.5-flash-lite")


@given(any_model)
def test_no_model_stands_in_for_itself_and_none_hides_what_it_costs(model: ModelName) -> None:
    others = REGISTRY.fallbacks(model)

    assert model not in others
    assert REGISTRY.price(model) is None or all(REGISTRY.price(other) for other in others)


@given(any_model)
def test_a_stand_in_may_be_given_what_the_model_may(model: ModelName) -> None:
    with_tools = REGISTRY.supports_tools(model)

    assert with_tools is None or {REGISTRY.supports_tools(other) for other in REGISTRY.fallbacks(model)} <= {with_tools}


@pytest.mark.parametrize("model", ["gpt-oss-120b:exacto", "a model nobody knows"])
def test_a_price_that_is_not_known_stays_unknown(model: str) -> None:
    assert REGISTRY.price(ModelName(model)) is None


@pytest.mark.parametrize(
    ("model", "stronger"),
    [
        ("mistral-nemo", "minimax-m2.1"),
        ("minimax-m2.1", "qwen3-coder-plus"),
        ("qwen3-coder-plus", "claude-sonnet-4.5"),
        ("claude-sonnet-4.5", "claude-opus-4.5"),
        ("claude-opus-4.5", "claude-opus-4.5"),
        ("gpt-5.1-codex-mini", "qwen3-coder-plus"),
        ("gemini-3-pro", "claude-sonnet-4.5"),
        ("general", "minimax-m2.1"),
        ("glm-4.7", "qwen3-coder-plus"),
        ("qwen3-max", "claude-opus-4.5"),
        ("gpt-5.2-codex", "claude-opus-4.5"),
        ("a model nobody knows", "minimax-m2.1"),
    ],
)
def test_escalation_follows_the_published_path(model: str, stronger: str) -> None:
    assert REGISTRY.next_up(ModelName(model)) == stronger


@given(any_model)
def test_escalation_always_reaches_the_top_and_never_goes_down(model: ModelName) -> None:
    steps = [model]
    while not REGISTRY.at_maximum(steps[-1]):
        stronger = REGISTRY.next_up(steps[-1])
        assert REGISTRY.can_escalate(steps[-1], stronger)
        steps.append(stronger)

    assert steps[-1] == OPUS
    assert len(steps) <= 5


def test_only_the_strongest_model_is_at_the_maximum() -> None:
    assert [model for model in REGISTRY.names if REGISTRY.at_maximum(model)] == [OPUS]


def test_the_tier_of_a_model_is_its_lowest() -> None:
    assert REGISTRY.tier_of(SONNET) == 3
    assert REGISTRY.tier_of(ModelName("a model nobody knows")) is None
    assert REGISTRY.capability(ModelName("a model nobody knows")) == 0


def test_only_the_first_tier_works_without_tools() -> None:
    assert REGISTRY.supports_tools(ModelName("mistral-nemo")) is False
    assert REGISTRY.supports_tools(SONNET) is True
    assert REGISTRY.supports_tools(ModelName("a model nobody knows")) is None


def test_every_role_works_with_a_model_that_has_tools() -> None:
    assert all(REGISTRY.supports_tools(REGISTRY.for_role(role)) for role in AgentRole)


def test_a_preferred_model_counts_only_inside_the_roles_tier() -> None:
    assert REGISTRY.for_role("dba", preferred=SONNET) == SONNET
    assert REGISTRY.for_role("dba", preferred=OPUS) == "gemini-3-pro"


def test_a_reviewer_is_never_the_author() -> None:
    offered: list[tuple[ModelName, ...]] = []

    def last(models: object) -> ModelName:
        offered.append(tuple(models))  # type: ignore[arg-type]  # the registry passes a sequence
        return offered[-1][-1]

    registry = ModelRegistry.load(FILE, choose=last)

    assert registry.for_role("code-reviewer", excluding={SONNET}) == "gemini-3-pro"
    assert offered == [("qwen3-coder-plus", "gpt-5.1-codex-max", "gemini-3-pro")]


def test_a_reviewer_without_peers_is_the_first_of_the_tier() -> None:
    everyone = REGISTRY.tier("tier3")

    assert REGISTRY.for_role("code-reviewer", excluding=everyone) == everyone[0]


def test_purposes_take_the_models_of_the_settings_or_the_default() -> None:
    registry = ModelRegistry.load(FILE, purposes={Purpose.PLAN: "kimi-k2.5", Purpose.TITLE: ""})

    assert registry.for_purpose("plan") == "kimi-k2.5"
    assert registry.for_purpose("title") == "gemini-3-pro"
    assert registry.for_purpose("summarize") == "gemini-2.5-flash-lite"


@pytest.mark.parametrize(
    ("alias", "model"),
    [
        ("opus", "claude-opus-4.5"),
        ("Sonnet", "claude-sonnet-4.5"),
        ("gemini", "gemini-3-pro"),
        ("qwen", "qwen3-max"),
        ("gpt", "gpt-5.2-codex"),
        ("glm", "glm-4.7"),
        ("default", "gemini-2.5-flash-lite"),
        ("GLM", "glm-4.7"),
        ("nobody", None),
    ],
)
def test_emergency_aliases_are_those_of_the_contract(alias: str, model: str | None) -> None:
    assert REGISTRY.breakglass(alias) == model


def test_every_alias_is_listed_in_lower_case() -> None:
    assert {alias: REGISTRY.breakglass(alias.upper()) for alias in REGISTRY.aliases()} == REGISTRY.aliases()


def test_a_seat_outside_its_tier_means_the_last_model(tmp_path: Path) -> None:
    changed = FILE.read_text(encoding="utf-8").replace('dba: { seat: "tier3[2]" }', 'dba: { seat: "tier3[9]" }')
    file = tmp_path / "models.yaml"
    file.write_text(changed, encoding="utf-8")

    assert ModelRegistry.load(file).for_role("dba") == SONNET


def test_with_one_provider_the_nearest_of_its_models_stands_in() -> None:
    assert REGISTRY.reachable(SONNET, {"anthropic"}) == SONNET
    assert REGISTRY.reachable(ModelName("mistral-nemo"), {"anthropic"}) == SONNET
    assert REGISTRY.reachable(OPUS, {"gemini"}) == "gemini-3-flash"
    assert REGISTRY.reachable(OPUS, {"nobody"}) is None


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("default: gemini-3-pro", "default: gemini-9", "not listed under models: gemini-9"),
        ('dba: { seat: "tier3[2]" }', 'dba: { seat: "tier7[2]" }', "no such tier: tier7"),
        ('dba: { seat: "tier3[2]" }', "dba: { seat: tier3 }", "roles.dba: write a seat as tier2[1]"),
        ('input: "0.02"', 'input: "NaN"', "models.mistral-nemo: a price is a number from zero up"),
        ('input: "0.02"', 'input: "Infinity"', "models.mistral-nemo: a price is a number from zero up"),
        ('input: "0.02"', 'input: "-1"', "models.mistral-nemo: a price is a number from zero up - at `$.price`"),
        ("models:", "modells:", "modells"),
        ("models:", "models: [", "cannot be read"),
    ],
)
def test_a_wrong_registry_says_what_is_wrong(tmp_path: Path, old: str, new: str, words: str) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(FILE.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")

    with pytest.raises(InvalidSettings) as caught:
        ModelRegistry.load(file)

    assert words in str(caught.value)
    assert str(file) in str(caught.value)


def test_every_task_type_finds_a_model() -> None:
    assert all(REGISTRY.for_task(task) in REGISTRY.names for task in TaskType)


def test_a_package_has_the_file_as_json_which_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "models.json").write_text(json.dumps(yaml.safe_load(FILE.read_text(encoding="utf-8"))))
    packed, written = ModelRegistry.load(tmp_path / "models.yaml"), ModelRegistry.load(FILE)
    assert packed.names == written.names
    for name in written.names:
        for tokens in (0, 300_000):
            assert packed.price(name, tokens) == written.price(name, tokens)
        assert packed.next_up(name) == written.next_up(name)
        assert packed.capability(name) == written.capability(name)
