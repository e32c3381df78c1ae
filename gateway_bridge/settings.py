"""The bridge's settings, read once from the environment."""

from typing import Final

from pydantic import Field

from discord_agent.settings import LogLevel, Settings

DEFAULT_INTENTS: Final = 46593
"""Guilds, messages and reactions in guilds and direct messages, and the content of messages."""


class BridgeSettings(Settings):
    """One process serves one shard; ``lease_seconds`` is how long a dead process keeps its successor waiting."""

    log_level: LogLevel = Field(alias="LOG_LEVEL")
    api_url: str = Field(alias="DISCORD_API_URL")
    token_secret: str = Field(alias="DISCORD_TOKEN_SECRET")
    bot_id: str = Field(alias="DISCORD_BOT_ID", pattern=r"^[0-9]{1,20}$")
    other_bot_username: str = Field("", alias="OTHER_BOT_USERNAME")
    queue_url: str = Field(alias="DISCORD_MESSAGES_QUEUE_URL")
    sessions_table: str = Field(alias="DYNAMODB_SESSIONS_TABLE")
    intents: int = Field(DEFAULT_INTENTS, alias="DISCORD_INTENTS", ge=0)
    shard_id: int = Field(0, alias="SHARD_ID", ge=0)
    shard_count: int = Field(1, alias="SHARD_COUNT", ge=1)
    lease_seconds: float = Field(10, alias="LEASE_SECONDS", gt=0)
    health_host: str = Field("127.0.0.1", alias="HEALTH_HOST")
    health_port: int = Field(8080, alias="HEALTH_PORT", ge=0, le=65535)
