"""The bridge's settings, read once from the environment."""

from typing import Annotated, Final

from msgspec import Meta, field

from discord_agent.settings import LogLevel, Settings

DEFAULT_INTENTS: Final = 46593
"""Guilds, messages and reactions in guilds and direct messages, and the content of messages."""

DEFAULT_LEASE_SECONDS: Final = 10.0


class BridgeSettings(Settings, frozen=True, kw_only=True):
    """One process serves one shard; ``lease_seconds`` is how long a dead process keeps its successor waiting."""

    log_level: LogLevel = field(name="LOG_LEVEL")
    api_url: str = field(name="DISCORD_API_URL")
    token_secret: str = field(name="DISCORD_TOKEN_SECRET")
    bot_id: Annotated[str, Meta(pattern=r"^[0-9]{1,20}\Z")] = field(name="DISCORD_BOT_ID")
    other_bot_username: str = field(default="", name="OTHER_BOT_USERNAME")
    queue_url: str = field(name="DISCORD_MESSAGES_QUEUE_URL")
    sessions_table: str = field(name="DYNAMODB_SESSIONS_TABLE")
    intents: Annotated[int, Meta(ge=0)] = field(default=DEFAULT_INTENTS, name="DISCORD_INTENTS")
    shard_id: Annotated[int, Meta(ge=0)] = field(default=0, name="SHARD_ID")
    shard_count: Annotated[int, Meta(ge=1)] = field(default=1, name="SHARD_COUNT")
    lease_seconds: Annotated[float, Meta(gt=0)] = field(default=DEFAULT_LEASE_SECONDS, name="LEASE_SECONDS")
    health_host: str = field(default="127.0.0.1", name="HEALTH_HOST")
    health_port: Annotated[int, Meta(ge=0, le=65535)] = field(default=8080, name="HEALTH_PORT")
