"""The command ``init``: asks for what only people have, checks it live, and keeps it where functions find it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deployment import settings
from deployment.cli import bot as bots
from deployment.cli import settings_file, vault
from deployment.cli.account import Account
from deployment.cli.asking import GIT, MODEL, TOKEN, TOOLS, Answers, Known
from deployment.cli.trial import try_model
from discord_agent.declaration import System
from discord_agent.domain.errors import InvalidSettings

_NAMES: Final = {
    TOKEN: "the Discord bot's token",
    MODEL: "the models' key",
    GIT: "logins for git hosts",
    TOOLS: "secrets of tools",
}
_FEW_SESSIONS: Final = 50

type Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Deployment:
    """What init fills: a vault in an account, and a file of settings."""

    system: System
    account: Account
    vault: vault.Vault
    file: Path
    api_url: str = ""
    """Discord's, if not that of the settings."""


def run(deployment: Deployment, answers: Answers, say: Say = print) -> int:
    """Ask, check everything, then keep it; InvalidSettings says what is wrong, and nothing has been kept then."""
    chosen = settings.read(deployment.system, deployment.file)
    known = Known(deployment.vault.read(), chosen.parameter("LITELLM_BASE_URL"))
    say(_before(deployment, chosen, known))

    answered = answers(known)
    secrets = {**answered.secrets}
    if TOKEN not in secrets:
        raise InvalidSettings("a Discord bot token is needed: at the prompt, or as DISCORD_TOKEN with --from-env")
    secrets[TOKEN] = bots.clean(secrets[TOKEN])
    if MODEL not in secrets:
        raise InvalidSettings(
            "credentials for models are needed: a gateway's address and key (LITELLM_BASE_URL, LITELLM_API_KEY), or the"
            " key of a provider (such as ANTHROPIC_API_KEY)"
        )
    _require_shape(deployment.system, secrets, answered.base_url)

    say("Asking Discord and the model …")
    api_url = deployment.api_url or chosen.parameter("DISCORD_API_URL")
    with bots.connection(api_url, secrets[TOKEN]) as client:
        bot = bots.ask(client)
    wanted = chosen.parameter("DECISION_MODEL_ID")
    model = try_model(answered.base_url, secrets[MODEL], wanted)
    _require_intent(bot, bridge=chosen.on("bridge"))

    changed = [key for key, value in secrets.items() if known.secrets.get(key) != value]
    deployment.vault.write(secrets)
    values = {**bot.settings, "litellm_base_url": answered.base_url, "discord_api_url": api_url}
    rewritten = settings_file.write(deployment.file, deployment.system, values)
    say(_after(deployment, bot, (model, wanted), changed, rewritten=rewritten))
    return 0


def _require_shape(system: System, secrets: Mapping[str, str], base_url: str) -> None:
    faults = vault.faults(secrets, system, base_url)
    if faults:
        raise InvalidSettings("; ".join(f"{_NAMES[key]} ({key}): {fault}" for key, fault in faults.items()))


def _require_intent(bot: bots.Bot, *, bridge: bool) -> None:
    if bridge and not bot.reads_messages:
        raise InvalidSettings(
            f"{bot.username} may not read messages, and Discord would turn the bridge away: switch on “Message Content"
            f" Intent” at {bot.portal}, then run `discord-agent init` again. (To do without messages, put"
            ' "bridge": "false" into settings.json: then only slash commands and buttons arrive.)'
        )


def _before(deployment: Deployment, chosen: settings.Settings, known: Known) -> str:
    lines = [f"Deploying to {deployment.account}."]
    if known.secrets:
        there = ", ".join(_NAMES[key] for key in deployment.system.secrets if key in known.secrets)
        lines.append(f"There already: {there}. What you do not change is kept.")
    if chosen.parameter("DISCORD_BOT_ID"):
        lines.append(f"{deployment.file.name} is for {chosen.parameter('BOT_USERNAME')}.")
    return "\n".join(lines)


def _after(
    deployment: Deployment, bot: bots.Bot, model: tuple[str, str], changed: list[str], *, rewritten: bool
) -> str:
    answered, wanted = model
    stand_in = "" if answered == wanted else f", in place of {wanted}, which failed"
    kept = f"kept: {', '.join(_NAMES[key] for key in changed)}" if changed else "as they were"
    few = f"; only {bot.sessions_left} of {bot.sessions} left today" if bot.sessions_left < _FEW_SESSIONS else ""
    lines = [
        f"  bot       {bot.username} ({bot.id}){few}",
        f"  model     {answered} answers{stand_in}",
        f"  secrets   {kept}, in Parameter Store",
        f"  settings  {'written' if rewritten else 'as they were'} ({deployment.file.name})",
        "",
        "Invite the bot to a server that you manage:",
        f"  {bot.invitation}",
        "",
        "Then deploy it:",
        "  discord-agent deploy",
    ]
    return "\n".join(lines)
