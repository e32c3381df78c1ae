"""The files that people attach to messages, on their way into the workspace."""

from collections.abc import Iterable
from typing import Final

from discord_agent.domain import cards, routing
from discord_agent.domain.errors import DiscordRefused
from discord_agent.domain.ids import ChannelId
from discord_agent.domain.inbound import Attachment
from discord_agent.domain.run import RunState
from discord_agent.domain.workspace import AGENT_FOLDER
from discord_agent.ports import Discord
from discord_agent.steps.chronicle import Chronicle

_FOLDER: Final = f"{AGENT_FOLDER}/uploads"
_LIMIT: Final = 25 * 1024 * 1024


def place(attachment: Attachment) -> str:
    """Where a file lies in the workspace."""
    return f"{_FOLDER}/{routing.file_name(attachment.filename)}"


def fetch(discord: Discord, chronicle: Chronicle, run: RunState, attachments: Iterable[Attachment]) -> dict[str, bytes]:
    """Contents by place; people are told of what cannot be had."""
    files = {}
    for attachment in attachments:
        name = routing.file_name(attachment.filename)
        try:
            files[place(attachment)] = discord.download(attachment, limit=_LIMIT)
        except DiscordRefused as error:
            chronicle.note(run.thread_id, run.execution_id, "attachment_refused", name=name, reason=str(error))
            discord.send(
                ChannelId(run.thread_id),
                cards.attachment_refused(name, _LIMIT),
                nonce=f"{run.execution_id}/attachment/{attachment.id}",
            )
    return files
