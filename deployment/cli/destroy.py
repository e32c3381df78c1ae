"""The command ``destroy``: removes everything but the data; the data too, for who says so twice."""

from collections.abc import Callable
from dataclasses import dataclass

from botocore.exceptions import ClientError

from deployment.cli.account import code, explained
from deployment.cli.checks import examine, holds
from deployment.cli.connect import disconnect
from deployment.cli.deployed import Deployed
from deployment.cli.tools import Tool, same_tool
from discord_agent.domain.errors import InvalidSettings
from discord_agent.domain.list_prices import PRICES, Unit

type Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Destroying:
    """What is removed; ``confirm`` asks a person to type the bucket's name, if data are to go."""

    deployed: Deployed
    tool: Tool
    data: bool
    confirm: Callable[[str], str]


def run(destroying: Destroying, say: Say = print) -> int:
    """Remove it; InvalidSettings, and nothing removed, when data are to go and the name is not the right one."""
    deployed, tool = destroying.deployed, destroying.tool
    bucket = deployed.expected.bucket
    found = examine([same_tool(deployed.account, tool.name, deployed.is_there)])
    if not holds(found):
        raise InvalidSettings(f"nothing was removed: {found[0].what}: {found[0].remedy}")
    if destroying.data and destroying.confirm(bucket) != bucket:
        raise InvalidSettings(f"nothing was removed: to delete all data, type the name of the bucket, {bucket}")

    say(f"Removing the system from {deployed.account} with {tool.name}; this takes some minutes …")
    try:
        disconnect(deployed, say)
    except InvalidSettings as error:
        say(f"  endpoint  not taken back ({error}); Discord finds out by itself")
    tool.destroy(keep_data=True)
    if not destroying.data:
        say(_kept(destroying))
        return 0
    say(f"Deleting everything in {bucket}, the tables and the secrets …")
    _empty(deployed)
    tool.destroy(keep_data=False)
    deployed.vault.delete()
    say("Nothing is left, and nothing costs anything any more.")
    return 0


def confirmation(given: str, ask: Callable[[str], str]) -> Callable[[str], str]:
    """The name as it was given, or else as a person types it."""
    if given:
        return lambda _: given
    return lambda name: ask(f"This deletes all data for good. Type the name of the bucket, {name}: ").strip()


def _kept(destroying: Destroying) -> str:
    deployed = destroying.deployed
    system = deployed.expected.system
    tables = ", ".join(table.name for table in system.tables.values())
    queues = len(_queues(deployed))
    lines = [
        "",
        "Removed. These stay, and `discord-agent deploy` finds them again:",
        f"  tables   {tables}: ${PRICES[Unit.TABLE_GB]} per GB and month, and ${PRICES[Unit.BACKUP_GB]} for their backups",
        f"  bucket   {deployed.expected.bucket}: ${PRICES[Unit.OBJECT_GB]} per GB and month",
        *([f"  queues   {queues}, with what is in them: free while nobody uses them"] if queues else []),
        f"  secrets  {', '.join(system.secrets.values())}: free",
        "",
        "To delete them too:  discord-agent destroy --data",
    ]
    return "\n".join(lines)


def _queues(deployed: Deployed) -> set[str]:
    """The names of our queues that are still there: the CDK keeps them with the data, Terraform does not."""
    declared = {queue.name for queue in deployed.expected.system.queues.values()}
    with explained():
        pages = deployed.account.client("sqs").get_paginator("list_queues").paginate()
        return declared & {url.rpartition("/")[2] for page in pages for url in page.get("QueueUrls", ())}


def _empty(deployed: Deployed) -> None:
    """Delete every version of every object: neither tool deletes a bucket that holds something."""
    client = deployed.account.client("s3")
    bucket = deployed.expected.bucket
    with explained():
        try:
            for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
                found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
                if not found:
                    continue
                keys = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]
                answer = client.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
                if answer.get("Errors"):
                    raise InvalidSettings(
                        f"S3 did not delete {len(answer['Errors'])} objects of {bucket} ({answer['Errors'][0]['Code']}):"
                        " run the command again"
                    )
        except ClientError as error:
            if code(error) != "NoSuchBucket":
                raise
