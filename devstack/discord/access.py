"""Who may see and do what in which channel."""

from dataclasses import dataclass

from devstack.discord.errors import missing_access, missing_permissions, unknown
from devstack.discord.permissions import DIRECT_MESSAGE, Permission, combine
from devstack.discord.records import DM, Channel, Role, User
from devstack.discord.seed import EVERYONE_ID
from devstack.discord.snowflakes import is_snowflake
from devstack.discord.store import Store


@dataclass(frozen=True, slots=True)
class Access:
    """Looks permissions up."""

    store: Store

    def user(self, identifier: str) -> User:
        """A user; 10013 if there is none."""
        user = self.store.get(User, identifier) if is_snowflake(identifier) else None
        if user is None:
            raise unknown("User")
        return user

    def channel(self, identifier: str) -> Channel:
        """A channel, whoever asks; 10003 if there is none."""
        channel = self.store.get(Channel, identifier) if is_snowflake(identifier) else None
        if channel is None:
            raise unknown("Channel")
        return channel

    def permissions(self, user: User, channel: Channel) -> Permission:
        """What a user may do in a channel; a thread goes by its parent's overwrites."""
        if channel.type == DM:
            return DIRECT_MESSAGE if user.id in channel.recipients else Permission(0)
        place = self.channel(channel.parent) if channel.is_thread else channel
        return combine(
            everyone=EVERYONE_ID,
            held=user.roles,
            role_bits={role.id: role.permissions for role in self.store.everything(Role)},
            overwrites=place.overwrites,
            user=user.id,
        )

    def sees(self, user: User, channel: Channel) -> bool:
        """Whether a user sees a channel."""
        return Permission.VIEW_CHANNEL in self.permissions(user, channel)

    def require(self, user: User, channel: Channel, needed: Permission = Permission.VIEW_CHANNEL) -> None:
        """Raise 50001 if the user does not see the channel, 50013 if something else is missing."""
        held = self.permissions(user, channel)
        if Permission.VIEW_CHANNEL not in held:
            raise missing_access()
        if needed not in held:
            raise missing_permissions()

    def require_send(self, user: User, channel: Channel) -> None:
        """Raise unless the user may write in the channel; threads have a permission of their own."""
        self.require(
            user, channel, Permission.SEND_MESSAGES_IN_THREADS if channel.is_thread else Permission.SEND_MESSAGES
        )
