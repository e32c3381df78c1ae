"""The command ``connect``: tells Discord where the deployed bot is, and what its commands are."""

from collections.abc import Callable

from deployment.cli import bot as bots
from deployment.cli.asking import TOKEN
from deployment.cli.checks import Level
from deployment.cli.deployed import Deployed, answers
from discord_agent.adapters.discord.commands import register
from discord_agent.domain.errors import InvalidSettings

type Say = Callable[[str], object]


def connect(deployed: Deployed, say: Say = print) -> bots.Bot:
    """Set the interactions endpoint and register the commands; both stay as they are when they are right already."""
    url = deployed.interactions_url()
    # The first request loads the function, for which Discord would not wait.
    answer = answers(url)
    if answer.level is not Level.OK:
        raise InvalidSettings(f"{answer.what}: {answer.remedy}")
    with bots.connection(deployed.api_url, token(deployed)) as client:
        bot = bots.ask(client)
        if bot.endpoint != url:
            bots.set_endpoint(client, url)
        say(f"  endpoint  {'set' if bot.endpoint != url else 'as it was'}: {url}")
        changed = register(client, bot.application_id)
        say(f"  commands  {'registered' if changed else 'as they were'}")
    return bot


def disconnect(deployed: Deployed, say: Say = print) -> None:
    """Have Discord send no more interactions here; where it sends them elsewhere that stays so."""
    with bots.connection(deployed.api_url, token(deployed)) as client:
        if bots.ask(client).endpoint == deployed.interactions_url():
            bots.set_endpoint(client, None)
            say("  endpoint  taken back: Discord sends nothing here any more")


def token(deployed: Deployed) -> str:
    """The bot's token, as init kept it."""
    kept = deployed.vault.read().get(TOKEN)
    if not kept:
        raise InvalidSettings(f"there is no bot token in {deployed.account}: run `discord-agent init`")
    return bots.clean(kept)
