"""A model that plays a script, its registry and its prompts."""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from discord_agent.domain.conversation import Message, ModelReply, ModelRequest, Purpose, Role, ToolCall
from discord_agent.domain.errors import Stopped
from discord_agent.domain.ids import ModelName
from discord_agent.domain.money import Cost, Price, Usage, Usd
from discord_agent.ports import Prompts
from tests.support.fakes.effects import Effects

SCRIPTED = ModelName("scripted")
LADDER = (ModelName("small"), ModelName("middle"), ModelName("large"))

PRICE = Cost(Usd(Decimal("0.01")))
"""What every reply of a script costs."""

CHEAP = Price(input=Decimal("0.1"), cached_input=Decimal("0.01"), output=Decimal(1))
"""So that limits do not matter to tests that are not about them."""

TOKENS = Usage(input=100, output=10)


def says(text: str) -> ModelReply:
    """A reply in prose."""
    return ModelReply(Message(Role.ASSISTANT, text), SCRIPTED, TOKENS, PRICE)


def answers(**values: Any) -> ModelReply:
    """A reply in JSON."""
    return says(json.dumps(values))


def calls(*named: tuple[str, dict[str, Any] | str], text: str = "") -> ModelReply:
    """A reply that asks for tools; all its call ids are the same, as some providers do it."""
    asked = tuple(
        ToolCall("call", name, arguments if isinstance(arguments, str) else json.dumps(arguments))
        for name, arguments in named
    )
    return ModelReply(Message(Role.ASSISTANT, text, asked), SCRIPTED, TOKENS, PRICE)


def writes(path: str, content: str) -> tuple[str, dict[str, Any]]:
    """A call that writes a file."""
    return "write_file", {"path": path, "content": content}


def finishes(summary: str = "All done.", **values: Any) -> ModelReply:
    """A reply that ends the task."""
    return calls(("finish", {"summary": summary, **values}))


@dataclass
class ScriptedModel:
    """Plays ``script`` per purpose; ``faults`` come first, each once, and ``during`` is told of every call.

    The n-th reply of a turn belongs to the n-th answer in its conversation: asked again, it says the same again.
    """

    effects: Effects
    script: dict[Purpose, list[ModelReply]] = field(default_factory=lambda: defaultdict(list))
    faults: dict[Purpose, list[Exception]] = field(default_factory=lambda: defaultdict(list))
    during: Callable[[ModelRequest], object] = lambda request: None
    requests: list[ModelRequest] = field(default_factory=list)

    def complete(
        self,
        request: ModelRequest,
        *,
        stop_requested: Callable[[], bool] | None = None,
        on_text: Callable[[str], None] | None = None,
    ) -> ModelReply:
        with self.effects("model.complete"):
            number = self._number(request)
            self.requests.append(request)
            if self.faults[request.purpose]:
                raise self.faults[request.purpose].pop(0)
            self.during(request)
            if stop_requested is not None and stop_requested():
                raise Stopped("while the model was asked")
            replies = self.script[request.purpose]
            assert number < len(replies), f"the script has no reply {number} for {request.purpose}"
            if on_text is not None:
                on_text(replies[number].message.text)
            return replies[number]

    def asked(self, purpose: Purpose) -> list[ModelRequest]:
        """The requests for one purpose."""
        return [request for request in self.requests if request.purpose is purpose]

    def _number(self, request: ModelRequest) -> int:
        if request.purpose is Purpose.TURN:
            return sum(message.role is Role.ASSISTANT for message in request.messages)
        return len(self.asked(request.purpose))


@dataclass
class FakeModels:
    """Every role and purpose has the smallest model of a ladder of three, which is a tier too; give it what a test needs.

    A role whose model is excluded takes the next of the ladder.
    """

    ladder: tuple[ModelName, ...] = LADDER
    prices: dict[ModelName, Price] = field(default_factory=lambda: dict.fromkeys((SCRIPTED, *LADDER), CHEAP))
    contexts: dict[ModelName, int] = field(default_factory=dict)
    seeing: set[ModelName] = field(default_factory=set)
    standing_in: dict[ModelName, tuple[ModelName, ...]] = field(default_factory=dict)
    tiers: dict[str, tuple[ModelName, ...]] = field(default_factory=dict)
    named: dict[str, ModelName] = field(default_factory=lambda: {"opus": LADDER[-1]})

    def price(self, model: ModelName, tokens: int = 0) -> Price | None:
        return self.prices.get(model)

    def context(self, model: ModelName) -> int:
        return self.contexts.get(model, 100_000)

    def output(self, model: ModelName) -> int:
        return 8_192

    def vision(self, model: ModelName) -> bool:
        return model in self.seeing

    def fallbacks(self, model: ModelName) -> tuple[ModelName, ...]:
        return self.standing_in.get(model, ())

    def for_role(
        self, role: str, *, preferred: ModelName | None = None, excluding: Collection[ModelName] = ()
    ) -> ModelName:
        if preferred in self.ladder and preferred not in excluding:
            return preferred
        return next((model for model in self.ladder if model not in excluding), self.ladder[0])

    def for_task(self, task_type: str) -> ModelName:
        return self.ladder[0]

    def for_purpose(self, purpose: str) -> ModelName:
        return self.ladder[0]

    def next_up(self, model: ModelName) -> ModelName:
        position = self.ladder.index(model)
        return self.ladder[min(position + 1, len(self.ladder) - 1)]

    def tier(self, name: str) -> tuple[ModelName, ...]:
        return self.tiers.get(name, self.ladder)

    def aliases(self) -> Mapping[str, ModelName]:
        return self.named

    def breakglass(self, alias: str) -> ModelName | None:
        return self.named.get(alias.lower())


@dataclass
class FakePrompts:
    """Shows a template's name and values, or what the ``real`` prompts make of them."""

    real: Prompts | None = None
    rendered: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def render(self, name: str, **values: Any) -> str:
        self.rendered.append((name, values))
        if self.real is not None:
            return self.real.render(name, **values)
        return f"[{name}] " + " ".join(f"{key}={value}" for key, value in sorted(values.items()))

    def values_of(self, name: str) -> dict[str, Any]:
        """What the newest prompt of a name was filled with."""
        return next(values for rendered, values in reversed(self.rendered) if rendered == name)
