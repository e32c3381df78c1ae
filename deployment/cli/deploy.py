"""The command ``deploy``: looks first, builds, has a tool make everything, and connects it with Discord."""

from collections.abc import Callable
from dataclasses import dataclass

from deployment.cli import doctor
from deployment.cli.checks import examine, holds
from deployment.cli.connect import connect
from deployment.cli.deployed import Deployed
from deployment.cli.ready import Ready
from deployment.cli.tools import Tool, same_tool
from deployment.figures import FIGURES
from discord_agent.domain.errors import InvalidSettings

type Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Deploying:
    """What is deployed, where and with what; ``build`` makes the packages."""

    ready: Ready
    deployed: Deployed
    tool: Tool
    build: Callable[[], object]


def run(deploying: Deploying, say: Say = print) -> int:
    """Deploy; InvalidSettings names what is missing before anything is made. Repeated, it goes on where it was cut off."""
    ready, deployed, tool = deploying.ready, deploying.deployed, deploying.tool
    say(f"Looking at {ready.account} …")
    checks = ready.before_deploying()
    found = examine([*checks, same_tool(ready.account, tool.name, deployed.is_there)])
    if not holds(found):
        say(doctor.as_text([doctor.Section("Before deploying", found)]))
        raise InvalidSettings("nothing was deployed: mend what fails, then run `discord-agent deploy` again")

    say("Building packages …")
    deploying.build()
    say(f"Deploying with {tool.name}; the first time takes some minutes …")
    tool.deploy()
    say("Connecting with Discord …")
    bot = connect(deployed, say)
    say(_after(deploying, bot.username, bot.invitation))
    return 0


def _after(deploying: Deploying, username: str, invitation: str) -> str:
    ready = deploying.ready
    region = ready.account.region
    system = ready.system
    mentions = ready.settings.on("bridge")
    first = f"@{username} what can you do?" if mentions else "/help"
    bridge = "and the bridge" if mentions else "without the bridge: only slash commands and buttons arrive"
    dashboard = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#dashboards/dashboard/"
    made = (
        f"{len(system.functions)} functions, {len(system.machines)} state machines, {len(system.tables)} tables,"
        f" {len(system.queues)} queues, the bucket {ready.expected.bucket} {bridge}"
    )
    lines = [
        "",
        f"{username} is deployed to {ready.account}: {made}.",
        f"  what it does      {dashboard}{FIGURES.dashboard}",
        "  what it costs     docs/COSTS.md",
        "  is it well?       discord-agent doctor",
        f"  not invited yet?  {invitation}",
        "",
        f"The first thing to try, in a channel of your server:  {first}",
    ]
    return "\n".join(lines)
