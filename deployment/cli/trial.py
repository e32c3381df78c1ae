"""One tiny request to a model, the way the product makes its own."""

from contextlib import closing

from discord_agent.adapters.folders import find_root
from discord_agent.adapters.llm.access import ModelAccess
from discord_agent.adapters.llm.model import LiteLLMModel
from discord_agent.adapters.llm.registry import ModelRegistry
from discord_agent.domain.conversation import Message, ModelRequest, Purpose, Role
from discord_agent.domain.errors import InvalidSettings, ModelRefused, ModelUnavailable
from discord_agent.domain.ids import ModelName

_TOKENS = 64


def try_model(base_url: str, key: str, model: str) -> str:
    """The name of the model that answered, ``model`` or one that stands in for it; InvalidSettings if none did."""
    access = ModelAccess.from_secret(key, base_url)
    registry = ModelRegistry.load(find_root() / "models.yaml")
    question = Message(Role.USER, "Answer with the one word: ready")
    request = ModelRequest(Purpose.DECIDE, ModelName(model), (question,), max_output_tokens=_TOKENS)
    where = base_url or "the provider"
    with closing(LiteLLMModel(registry, lambda: access)) as language_model:
        try:
            return language_model.complete(request).model
        except ModelRefused as error:
            raise InvalidSettings(f"no model can be used at {where}: {error}") from error
        except ModelUnavailable as error:
            raise InvalidSettings(f"no model answers at {where}: {error}") from error
