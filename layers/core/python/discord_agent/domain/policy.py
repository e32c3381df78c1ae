"""Who may do what, as one pure policy over a guild's and a channel's settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GuildSettings:
    """Placeholder: filled in by the policy work."""
