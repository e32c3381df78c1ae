"""The model registry: ``prompts/models.yaml`` behind the port ``Models``."""

import json
import random
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, Self

from msgspec import Meta, Struct, ValidationError, convert

from discord_agent.adapters.llm.wire import Reader
from discord_agent.domain.conversation import Purpose
from discord_agent.domain.errors import InvalidSettings
from discord_agent.domain.ids import ModelName
from discord_agent.domain.money import Price

_SEAT: Final = re.compile(r"(?P<tier>\w+)\[(?P<index>-?\d+)\]")


type Tokens = Annotated[int, Meta(gt=0)]


class _Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is not a field is a mistake in the file."""


class ListedPrice(_Part, frozen=True, kw_only=True):
    """US dollars per million tokens; ``above`` holds what a longer request costs, whole, from so many tokens on."""

    input: Decimal
    output: Decimal
    cached_input: Decimal | None = None
    cache_write: Decimal | None = None
    above: dict[Tokens, "ListedPrice"] = {}

    def __post_init__(self) -> None:
        """ValueError for an amount below zero or without an end."""
        amounts = (self.input, self.output, self.cached_input, self.cache_write)
        if any(each is not None and not (each.is_finite() and each >= 0) for each in amounts):
            raise ValueError("a price is a number from zero up")

    def at(self, tokens: int) -> Price:
        """The price of a request of so many tokens; without prices of their own, tokens of a cache cost like fresh ones."""
        reached = [limit for limit in self.above if tokens > limit]
        if reached:
            return self.above[max(reached)].at(0)
        cached = self.input if self.cached_input is None else self.cached_input
        return Price(input=self.input, cached_input=cached, output=self.output, cache_write=self.cache_write)


class ListedModel(_Part, frozen=True, kw_only=True):
    """What is known of a model; ``providers`` are litellm's ids for direct calls, the preferred one first.

    ``maker`` is who trained it, by default its first provider; ``marks_cache`` whether caching has to be asked for.
    """

    price: ListedPrice | None = None
    providers: tuple[str, ...] = ()
    context: Tokens = 32_768
    output: Tokens = 4_096
    vision: bool = False
    maker: str | None = None
    marks_cache: bool = False
    fallbacks: tuple[ModelName, ...] | None = None


_UNLISTED: Final = ListedModel()


class Tier(_Part, frozen=True, kw_only=True):
    """Models of about the same strength; ``tools`` says whether they may be given tools."""

    tools: bool
    models: Annotated[tuple[ModelName, ...], Meta(min_length=1)]


class Use(_Part, frozen=True, kw_only=True):
    """Which seat serves a role or task; with ``peers`` another model of the tier may stand in."""

    seat: str
    peers: bool = False

    def __post_init__(self) -> None:
        """ValueError for a seat that is none."""
        if not _SEAT.fullmatch(self.seat):
            raise ValueError("write a seat as tier2[1]")


class Listing(_Part, frozen=True, kw_only=True):
    """The registry file; every model it names is listed under ``models``."""

    models: dict[ModelName, ListedModel]
    tiers: dict[str, Tier]
    roles: dict[str, Use]
    fallback_role: Use
    tasks: dict[str, Use]
    fallback_task: Use
    escalation: Annotated[tuple[ModelName, ...], Meta(min_length=1)]
    default: ModelName
    purposes: dict[Purpose, ModelName] = {}
    breakglass: dict[str, ModelName]

    def __post_init__(self) -> None:
        """ValueError for a model that is not listed, or a tier that is not there."""
        named = {
            *self.escalation,
            *self.breakglass.values(),
            *self.purposes.values(),
            self.default,
            *(model for tier in self.tiers.values() for model in tier.models),
            *(other for model in self.models.values() for other in model.fallbacks or ()),
        }
        if unlisted := sorted(named - self.models.keys()):
            raise ValueError(f"not listed under models: {', '.join(unlisted)}")
        uses = [*self.roles.values(), *self.tasks.values(), self.fallback_role, self.fallback_task]
        if unknown := sorted({use.seat for use in uses if use.seat.partition("[")[0] not in self.tiers}):
            raise ValueError(f"no such tier: {', '.join(unknown)}")


class ModelRegistry:
    """Answers which model serves what; ``purposes`` are the models chosen in the settings."""

    def __init__(
        self,
        listing: Listing,
        *,
        purposes: Mapping[Purpose, str] | None = None,
        choose: Callable[[Sequence[ModelName]], ModelName] = random.choice,
    ) -> None:
        self._listing = listing
        self._purposes = {purpose: ModelName(model) for purpose, model in (purposes or {}).items() if model}
        self._choose = choose
        self._tiers = tuple(listing.tiers.values())
        self._ranked = tuple(dict.fromkeys(model for tier in self._tiers for model in tier.models))

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        purposes: Mapping[Purpose, str] | None = None,
        choose: Callable[[Sequence[ModelName]], ModelName] = random.choice,
    ) -> Self:
        """Read the file, or what the package has of it as JSON; InvalidSettings names what is wrong in it."""
        try:
            data = _read(path)
        except (OSError, ValueError) as error:
            raise InvalidSettings(f"model registry {path}: cannot be read: {error}") from error
        try:
            listing = _shaped(data, Listing)
        except ValidationError as error:
            faults = "; ".join(_faults(data)) or error
            raise InvalidSettings(f"model registry {path}: {faults}") from error
        return cls(listing, purposes=purposes, choose=choose)

    @property
    def names(self) -> tuple[ModelName, ...]:
        """All listed models."""
        return tuple(self._listing.models)

    def price(self, model: ModelName, tokens: int = 0) -> Price | None:
        """Its price for a request of so many ``tokens``, or None when it is not known."""
        listed = self._listed(model).price
        return listed.at(tokens) if listed else None

    def context(self, model: ModelName) -> int:
        """The most tokens of one request."""
        return self._listed(model).context

    def output(self, model: ModelName) -> int:
        """The most tokens of one answer."""
        return self._listed(model).output

    def vision(self, model: ModelName) -> bool:
        """Whether it can be shown images."""
        return self._listed(model).vision

    def providers(self, model: ModelName) -> tuple[str, ...]:
        """The ids for direct calls through litellm, such as ``anthropic/…``; none when the model needs a gateway."""
        return self._listed(model).providers

    def reader(self, model: ModelName) -> Reader:
        """How a request has to be written for a model."""
        listed = self._listed(model)
        return Reader(self.maker(model), listed.vision, listed.marks_cache, listed.output)

    def maker(self, model: ModelName) -> str:
        """Who trained it; a model that no provider is listed for is its own."""
        listed = self._listed(model)
        return listed.maker or next(map(_provider_of, listed.providers), model)

    def fallbacks(self, model: ModelName) -> tuple[ModelName, ...]:
        """The listed ones; else the others of its lowest tier, those of other makers first.

        A model whose price is known is never replaced by one whose price is not: limits could not be kept.
        """
        listed = self._listed(model).fallbacks
        if listed is not None:
            return listed
        tier = next((tier.models for tier in self._tiers if model in tier.models), ())
        others = [other for other in tier if other != model and (self.price(other) or not self.price(model))]
        return tuple(sorted(others, key=lambda other: self.maker(model) == self.maker(other)))

    def for_role(
        self, role: str, *, preferred: ModelName | None = None, excluding: Collection[ModelName] = ()
    ) -> ModelName:
        """The model of an agent role.

        ``preferred`` counts if it is in the role's tier. A role with peers takes another model of the tier when some
        are ``excluding``: a reviewer is not the author.
        """
        use = self._listing.roles.get(role, self._listing.fallback_role)
        tier = self._listing.tiers[use.seat.partition("[")[0]].models
        if preferred in tier and preferred not in excluding:
            return preferred
        if use.peers and excluding:
            others = [model for model in tier if model not in excluding]
            return self._choose(others) if others else tier[0]
        return self._seated(use.seat)

    def for_task(self, task_type: str) -> ModelName:
        """The model of a task without tools."""
        return self._seated(self._listing.tasks.get(task_type, self._listing.fallback_task).seat)

    def for_purpose(self, purpose: str) -> ModelName:
        """The model the settings choose for a purpose, else the registry's, else the default."""
        chosen = self._purposes.get(Purpose(purpose))
        return chosen or self._listing.purposes.get(Purpose(purpose), self._listing.default)

    def next_up(self, model: ModelName) -> ModelName:
        """The next model of the escalation path; itself at the top.

        A model beside the path joins it at the path's first model of a higher tier, or at its top.
        """
        path = self._listing.escalation
        if model in path:
            return path[min(path.index(model) + 1, len(path) - 1)]
        tier = self.tier_of(model) or 1
        return next((step for step in path if max(self._tiers_of(step), default=0) > tier), path[-1])

    def at_maximum(self, model: ModelName) -> bool:
        """Whether there is nothing stronger to escalate to."""
        return self.next_up(model) == model

    def tier_of(self, model: ModelName) -> int | None:
        """The lowest tier a model is in, counted from 1; None when it is in none."""
        return min(self._tiers_of(model), default=None)

    def capability(self, model: ModelName) -> int:
        """Its place in the order of the tiers, counted from 1; 0 when it is in none."""
        return self._ranked.index(model) + 1 if model in self._ranked else 0

    def can_escalate(self, current: ModelName, target: ModelName) -> bool:
        """Whether ``target`` is stronger."""
        return self.capability(target) > self.capability(current)

    def supports_tools(self, model: ModelName) -> bool | None:
        """Whether a model may be given tools; None when it is in no tier."""
        tiers = [tier for tier in self._tiers if model in tier.models]
        return any(tier.tools for tier in tiers) if tiers else None

    def aliases(self) -> Mapping[str, ModelName]:
        """The aliases of the emergency override, in lower case."""
        return self._listing.breakglass

    def breakglass(self, alias: str) -> ModelName | None:
        """The model of an emergency alias."""
        return self._listing.breakglass.get(alias.lower())

    def tier(self, name: str) -> tuple[ModelName, ...]:
        """The models of a tier, in order; InvalidSettings for an unknown tier."""
        if name not in self._listing.tiers:
            raise InvalidSettings(f"the model registry has no tier {name!r}")
        return self._listing.tiers[name].models

    def reachable(self, model: ModelName, providers: Collection[str]) -> ModelName | None:
        """The model itself, or the nearest in strength that one of ``providers`` serves; None when they serve none."""
        served = [name for name in self.names if self.ids(name, providers)]
        if model in served or not served:
            return model if served else None
        wanted = self.capability(model)
        return min(served, key=lambda name: abs(self.capability(name) - wanted))

    def ids(self, model: ModelName, providers: Collection[str]) -> tuple[str, ...]:
        """Its ids at the ``providers``, the preferred one first."""
        return tuple(name for name in self.providers(model) if _provider_of(name) in providers)

    def _listed(self, model: ModelName) -> ListedModel:
        return self._listing.models.get(model, _UNLISTED)

    def _tiers_of(self, model: ModelName) -> list[int]:
        return [number for number, tier in enumerate(self._tiers, 1) if model in tier.models]

    def _seated(self, seat: str) -> ModelName:
        match = _SEAT.fullmatch(seat)
        if match is None:
            raise InvalidSettings(f"the model registry has no seat {seat!r}")
        models, index = self._listing.tiers[match["tier"]].models, int(match["index"])
        return models[index] if 0 <= index < len(models) else models[-1]


_ENTRIES: Final[dict[str, type[_Part]]] = {"models": ListedModel, "tiers": Tier, "roles": Use, "tasks": Use}


def _shaped[Part: _Part](data: Any, part: type[Part]) -> Part:
    # Keys of JSON are texts, numbers of tokens among them.
    return convert(data, part, str_keys=True)


def _faults(data: Any) -> Iterator[str]:
    """What is wrong with single entries, by their names: msgspec tells no key of a mapping."""
    for section, kind in _ENTRIES.items():
        entries = data.get(section) if isinstance(data, dict) else None
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            try:
                _shaped(entry, kind)
            except ValidationError as error:
                yield f"{section}.{name}: {error}"


def _read(path: Path) -> Any:
    as_json = path.with_suffix(".json")
    if as_json.is_file():
        return json.loads(as_json.read_bytes())
    import yaml  # noqa: PLC0415 - a package holds JSON, which is read a hundred times as fast

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _provider_of(provider_id: str) -> str:
    return provider_id.partition("/")[0]
