"""The model registry: ``prompts/models.yaml`` behind the port ``Models``."""

import random
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from discord_agent.domain.conversation import Purpose
from discord_agent.domain.errors import InvalidSettings
from discord_agent.domain.ids import ModelName
from discord_agent.domain.money import Price

_SEAT: Final = re.compile(r"(?P<tier>\w+)\[(?P<index>-?\d+)\]")


def _seat(value: str) -> str:
    if not _SEAT.fullmatch(value):
        raise ValueError("write a seat as tier2[1]")
    return value


type Seat = Annotated[str, AfterValidator(_seat)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ListedPrice(_Part):
    """US dollars per million tokens."""

    input: Annotated[Decimal, Field(ge=0)]
    output: Annotated[Decimal, Field(ge=0)]
    cached_input: Annotated[Decimal, Field(ge=0)] | None = None


class ListedModel(_Part):
    """What is known of a model; ``provider`` is litellm's id for direct calls."""

    price: ListedPrice | None = None
    provider: str | None = None
    context: Annotated[int, Field(gt=0)] | None = None


class Tier(_Part):
    """Models of about the same strength; ``tools`` says whether they may be given tools."""

    tools: bool
    models: Annotated[tuple[ModelName, ...], Field(min_length=1)]


class Use(_Part):
    """Which seat serves a role or task; with ``peers`` another model of the tier may stand in."""

    seat: Seat
    peers: bool = False


class Listing(_Part):
    """The registry file; every model it names is listed under ``models``."""

    models: dict[ModelName, ListedModel]
    tiers: dict[str, Tier]
    roles: dict[str, Use]
    fallback_role: Use
    tasks: dict[str, Use]
    fallback_task: Use
    escalation: Annotated[tuple[ModelName, ...], Field(min_length=1)]
    default: ModelName
    breakglass: dict[str, ModelName]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        named = {
            *self.escalation,
            *self.breakglass.values(),
            self.default,
            *(model for tier in self.tiers.values() for model in tier.models),
        }
        if unlisted := sorted(named - self.models.keys()):
            raise ValueError(f"not listed under models: {', '.join(unlisted)}")
        uses = [*self.roles.values(), *self.tasks.values(), self.fallback_role, self.fallback_task]
        if unknown := sorted({use.seat for use in uses if use.seat.partition("[")[0] not in self.tiers}):
            raise ValueError(f"no such tier: {', '.join(unknown)}")
        return self


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
        """Read the file; InvalidSettings names what is wrong in it."""
        try:
            listing = Listing.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (OSError, yaml.YAMLError) as error:
            raise InvalidSettings(f"model registry {path}: cannot be read: {error}") from error
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg']}" for fault in error.errors()
            )
            raise InvalidSettings(f"model registry {path}: {faults}") from error
        return cls(listing, purposes=purposes, choose=choose)

    @property
    def names(self) -> tuple[ModelName, ...]:
        """All listed models."""
        return tuple(self._listing.models)

    def price(self, model: ModelName) -> Price | None:
        """Its price, or None when it is not known."""
        listed = self._listing.models.get(model, ListedModel()).price
        if listed is None:
            return None
        cached = listed.input if listed.cached_input is None else listed.cached_input
        return Price(input=listed.input, cached_input=cached, output=listed.output)

    def provider(self, model: ModelName) -> str | None:
        """The id for direct calls through litellm, such as ``anthropic/…``; None when the model needs a gateway."""
        return self._listing.models.get(model, ListedModel()).provider

    def for_role(
        self, role: str, *, preferred: ModelName | None = None, excluded: Collection[ModelName] = ()
    ) -> ModelName:
        """The model of an agent role.

        ``preferred`` counts if it is in the role's tier. A role with peers takes another model of the tier when some
        are ``excluded``: a reviewer is not the author.
        """
        use = self._listing.roles.get(role, self._listing.fallback_role)
        tier = self._listing.tiers[use.seat.partition("[")[0]].models
        if preferred in tier and preferred not in excluded:
            return preferred
        if use.peers and excluded:
            others = [model for model in tier if model not in excluded]
            return self._choose(others) if others else tier[0]
        return self._seated(use.seat)

    def for_task(self, task_type: str) -> ModelName:
        """The model of a task without tools."""
        return self._seated(self._listing.tasks.get(task_type, self._listing.fallback_task).seat)

    def for_purpose(self, purpose: str) -> ModelName:
        """The model of decide, plan, reflect or title, as the settings say; else the default model."""
        return self._purposes.get(Purpose(purpose), self._listing.default)

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
        served = [name for name in self.names if (self.provider(name) or "").partition("/")[0] in providers]
        if model in served or not served:
            return model if served else None
        wanted = self.capability(model)
        return min(served, key=lambda name: abs(self.capability(name) - wanted))

    def _tiers_of(self, model: ModelName) -> list[int]:
        return [number for number, tier in enumerate(self._tiers, 1) if model in tier.models]

    def _seated(self, seat: str) -> ModelName:
        match = _SEAT.fullmatch(seat)
        if match is None:
            raise InvalidSettings(f"the model registry has no seat {seat!r}")
        models, index = self._listing.tiers[match["tier"]].models, int(match["index"])
        return models[index] if 0 <= index < len(models) else models[-1]
