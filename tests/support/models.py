"""A scripted model server and the real adapter in front of it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from devstack.model.script import parse_script
from devstack.model.server import ModelServer
from discord_agent.adapters.llm.access import ModelAccess
from discord_agent.adapters.llm.model import LiteLLMModel
from discord_agent.adapters.llm.patience import Patience
from discord_agent.adapters.llm.registry import ModelRegistry
from discord_agent.domain.conversation import Message, ModelRequest, Purpose, Role
from discord_agent.domain.ids import ModelName

KEY: Final = "a-key-of-the-test"
REGISTRY: Final = Path(__file__).parents[2] / "prompts" / "models.yaml"
QUICK: Final = Patience(attempt=20, total=40, silence=20, pause=0.001, longest_pause=0.05)


@dataclass(frozen=True, slots=True)
class Scripted:
    """A running server and an adapter that calls it; ``faults`` has an entry for each that the adapter told of."""

    server: ModelServer
    model: LiteLLMModel
    faults: list[str]


@contextmanager
def scripted(
    script: Mapping[str, Any], *, patience: Patience = QUICK, key: str = KEY, poll: float = 0.02
) -> Iterator[Scripted]:
    """Play ``script`` to the real adapter."""
    server = ModelServer(parse_script({"introduction": "I am scripted.", **script}, "script of the test"), key=KEY)
    server.start()
    faults: list[str] = []
    model = LiteLLMModel(
        ModelRegistry.load(REGISTRY),
        lambda: ModelAccess(server.url, key),
        patience=dict.fromkeys(Purpose, patience),
        poll=poll,
        jitter=lambda: 1.0,
        on_fault=lambda: faults.append("fault"),
    )
    try:
        yield Scripted(server, model, faults)
    finally:
        model.close()
        server.stop()


def ask(
    text: str = "hello", *, purpose: Purpose = Purpose.RESPOND, model: str = "qwen3-max", **more: Any
) -> ModelRequest:
    """A request with one message of a person."""
    return ModelRequest(purpose, ModelName(model), (Message(Role.USER, text),), **more)
