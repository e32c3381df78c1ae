"""Changes that people make to a guild's settings, for one channel or everywhere."""

import re
from copy import replace
from typing import Any, Final
from urllib.parse import urlsplit

from discord_agent.domain.errors import InvalidInput
from discord_agent.domain.ids import ChannelId
from discord_agent.domain.policy import Action, ChannelSettings, GuildSettings, People, Permit, ToolCredential

_PROGRAM: Final = re.compile(r"[A-Za-z0-9._+-]{1,60}")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}")


def changed(settings: GuildSettings, channel: ChannelId | None, **fields: Any) -> GuildSettings:
    """The settings with fields set by name: a channel's own, or the guild's (None)."""
    if channel is None:
        return replace(settings, **fields)
    others = tuple(own for own in settings.channels if own.channel_id != channel)
    return replace(settings, channels=(*others, replace(own_settings(settings, channel), **fields)))


def own_settings(settings: GuildSettings, channel: ChannelId) -> ChannelSettings:
    """What a channel does differently, nothing if it was never told to."""
    known = {own.channel_id: own for own in settings.channels}
    return known.get(channel) or ChannelSettings(channel)


def permitted(permits: tuple[Permit, ...], action: Action, people: People) -> tuple[Permit, ...]:
    """The permits with these people allowed to do something, each action named once."""
    before = _people(permits, action)
    together = People(_union(before.roles, people.roles), _union(before.users, people.users))
    return *_without(permits, action), Permit(action, together)


def revoked(permits: tuple[Permit, ...], action: Action, people: People) -> tuple[Permit, ...]:
    """The permits without these people; InvalidInput if they have no such permit."""
    before = _people(permits, action)
    roles = tuple(role for role in before.roles if role not in people.roles)
    users = tuple(user for user in before.users if user not in people.users)
    left = People(roles, users)
    if left == before:
        raise InvalidInput("They have no such permit here.")
    return (*_without(permits, action), *((Permit(action, left),) if roles or users else ()))


def lent(known: tuple[ToolCredential, ...], credential: ToolCredential) -> tuple[ToolCredential, ...]:
    """A channel's credentials with another one for its program; without a secret the program gets none any more."""
    others = tuple(each for each in known if each.program != credential.program)
    if not _PROGRAM.fullmatch(credential.program):
        raise InvalidInput("A program is named without its folder, such as `kubectl`.")
    if not credential.secret:
        return others
    if not _VARIABLE.fullmatch(credential.variable):
        raise InvalidInput("Say in which `variable` the program looks for it, such as `KUBECONFIG`.")
    return (*others, credential)


def repository(url: str) -> str:
    """A git URL that runs may work on, "" for none; InvalidInput for one that names no host, or credentials."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise InvalidInput("That is no address.") from error
    is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
    if url and not is_address:
        raise InvalidInput("A repository has an address that begins with `https://`.")
    if parts.username or parts.password:
        raise InvalidInput("Leave the credentials out of the address: they belong into the deployment's secrets.")
    return url


def _people(permits: tuple[Permit, ...], action: Action) -> People:
    of_action = [permit.people for permit in permits if permit.action is action]
    roles = tuple(role for people in of_action for role in people.roles)
    users = tuple(user for people in of_action for user in people.users)
    return People(roles, users)


def _without(permits: tuple[Permit, ...], action: Action) -> tuple[Permit, ...]:
    return tuple(permit for permit in permits if permit.action is not action)


def _union[T](known: tuple[T, ...], new: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*known, *new)))
