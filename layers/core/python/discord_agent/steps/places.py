"""Where a run takes place: its settings, its repository."""

from discord_agent.domain.ids import ChannelId
from discord_agent.domain.policy import GuildSettings, Place
from discord_agent.domain.run import RunState
from discord_agent.ports import Sessions


def settings_of(sessions: Sessions, run: RunState) -> GuildSettings:
    """The guild's settings as they apply to the run's thread, whose channel ``prepare`` stored."""
    parent = sessions.get(run.thread_id).parent_channel_id
    place = Place(ChannelId(run.thread_id), run.guild_id, parent_id=parent, is_thread=True, joined=True)
    return sessions.settings(run.guild_id).within(place)


def repository_of(sessions: Sessions, run: RunState) -> str:
    """The git URL the run works on, "" for none."""
    return settings_of(sessions, run).repository
