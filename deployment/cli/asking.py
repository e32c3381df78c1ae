"""Where answers come from: a person at the terminal, or variables. Secrets are never shown, and never arguments."""

import getpass
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from deployment.cli.vault import NOTHING
from discord_agent.adapters.llm.access import PROVIDER_VARIABLES, provider_secret
from discord_agent.domain.errors import InvalidSettings

TOKEN: Final = "discord-token"
MODEL: Final = "model-key"
GIT: Final = "git-credentials"
TOOLS: Final = "tool-secrets"
_NO_GATEWAY: Final = "-"


@dataclass(frozen=True, slots=True)
class Known:
    """What there was before: secrets by the declaration's keys, and the address of the models' gateway."""

    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    base_url: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """What there is to be from now on; what was not answered is as it was."""

    secrets: Mapping[str, str] = field(repr=False)
    base_url: str


class Answers(Protocol):
    """Whoever is asked."""

    def __call__(self, known: Known) -> Answered:
        """Ask for everything."""
        ...


@dataclass(frozen=True, slots=True)
class FromVariables:
    """Answers by the names that ``.env.example`` lists."""

    variables: Mapping[str, str] = field(repr=False)

    def __call__(self, known: Known) -> Answered:
        """What is set; an empty variable is as good as none."""
        given = self.variables
        base_url = given.get("LITELLM_BASE_URL") or known.base_url
        secrets = {
            TOKEN: given.get("DISCORD_TOKEN"),
            MODEL: given.get("LITELLM_API_KEY") if base_url else provider_secret(given),
            GIT: given.get("GIT_CREDENTIALS"),
            TOOLS: given.get("TOOL_SECRETS"),
        }
        if not base_url and given.get("LITELLM_API_KEY"):
            raise InvalidSettings(
                "LITELLM_API_KEY is of no use without LITELLM_BASE_URL: set both, or a provider's key"
            )
        return Answered(_kept(secrets, known), base_url)


@dataclass(frozen=True, slots=True)
class FromPerson:
    """Asks at the terminal, where an empty line keeps what there is."""

    ask: Callable[[str], str] = input
    ask_secretly: Callable[[str], str] = getpass.getpass

    def __call__(self, known: Known) -> Answered:
        """One question after the other."""
        secrets = dict(known.secrets)
        token = self.ask_secretly(f"Discord bot token{_keeping(TOKEN in secrets)}: ").strip()
        base_url, model = self._models(known)
        git = self._git()
        return Answered(_kept({TOKEN: token, MODEL: model, GIT: git}, known), base_url)

    def _models(self, known: Known) -> tuple[str, str]:
        has = MODEL in known.secrets
        hint = f" [{known.base_url}; {_NO_GATEWAY} for none]" if known.base_url else " [none]"
        answer = self.ask(f"Address of a gateway to models, such as a LiteLLM proxy{hint}: ").strip()
        base_url = "" if answer == _NO_GATEWAY else answer or known.base_url
        if base_url:
            same = has and base_url == known.base_url
            return base_url, self.ask_secretly(f"Key of the gateway{_keeping(same)}: ").strip()
        return "", self._providers(kept=has and not known.base_url)

    def _providers(self, *, kept: bool) -> str:
        print(f"Keys of providers, one after the other ({', '.join(PROVIDER_VARIABLES.values())}).")
        keys: dict[str, str] = {}
        while provider := self.ask(f"Provider{_keeping(kept and not keys, 'done')}: ").strip().lower():
            if provider not in PROVIDER_VARIABLES.values():
                print(f"  {provider} is none of them")
            elif key := self.ask_secretly(f"Key of {provider}: ").strip():
                keys[provider] = key
        return json.dumps(keys) if keys else ""

    def _git(self) -> str:
        print(
            "Logins for git hosts let the bot push branches; without one it works on copies (keep or skip: press Enter)."
        )
        tokens: dict[str, str] = {}
        while host := self.ask("Git host, such as github.com: ").strip().lower():
            if token := self.ask_secretly(f"Token for {host}: ").strip():
                tokens[host] = token
        return json.dumps(tokens) if tokens else ""


def from_lines(lines: Iterable[str]) -> FromVariables:
    """Answers from lines ``NAME=value``, as in a file ``.env``; InvalidSettings for another line."""
    variables: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals:
            # What stands there may be a secret.
            raise InvalidSettings(f"line {number} of the input is not NAME=value")
        variables[name.strip()] = value.strip().strip("\"'")
    return FromVariables(variables)


def person() -> FromPerson:
    """Whoever sits at the terminal; InvalidSettings if there is none."""
    if not sys.stdin.isatty():
        raise InvalidSettings("there is nobody to ask: use --from-env, or --from-stdin with lines NAME=value")
    return FromPerson()


def _kept(answers: Mapping[str, str | None], known: Known) -> dict[str, str]:
    """The answers over what there was; logins and secrets of tools may well be none."""
    empty = {GIT: NOTHING, TOOLS: NOTHING}
    return empty | dict(known.secrets) | {key: value for key, value in answers.items() if value}


def _keeping(kept: bool, otherwise: str = "") -> str:  # noqa: FBT001 - read as one word at the places of use
    words = "Enter keeps it" if kept else otherwise and f"Enter: {otherwise}"
    return f" ({words})" if words else ""
