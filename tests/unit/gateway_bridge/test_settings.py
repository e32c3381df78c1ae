import pytest
from msgspec.structs import fields

from discord_agent.domain.errors import InvalidSettings
from gateway_bridge.settings import DEFAULT_INTENTS, BridgeSettings

REQUIRED = {
    "LOG_LEVEL": "INFO",
    "DISCORD_API_URL": "https://discord.example/api/v10",
    "DISCORD_TOKEN_SECRET": "secret",
    "DISCORD_BOT_ID": "900",
    "DISCORD_MESSAGES_QUEUE_URL": "https://queue.example/1",
    "DYNAMODB_SESSIONS_TABLE": "sessions",
}


def test_what_is_required_suffices_and_health_stays_on_this_machine() -> None:
    settings = BridgeSettings.read(REQUIRED)
    assert (settings.intents, settings.shard_id, settings.shard_count) == (DEFAULT_INTENTS, 0, 1)
    assert settings.health_host == "127.0.0.1"


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_each_missing_setting_is_named(name: str) -> None:
    with pytest.raises(InvalidSettings, match=name):
        BridgeSettings.read({key: value for key, value in REQUIRED.items() if key != name})


def test_nothing_else_is_required() -> None:
    required = {field.encode_name for field in fields(BridgeSettings) if field.required}
    assert required == set(REQUIRED)


@pytest.mark.parametrize(("text", "shards"), [("7", 7), (" 07 ", 7), ("+7", 7)])
def test_a_number_may_be_written_as_people_write_it(text: str, shards: int) -> None:
    assert BridgeSettings.read({**REQUIRED, "SHARD_COUNT": text}).shard_count == shards
    assert BridgeSettings.read({**REQUIRED, "LEASE_SECONDS": ".5"}).lease_seconds == 0.5


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SHARD_COUNT", "two"),
        ("SHARD_COUNT", "1.5"),
        ("SHARD_COUNT", ""),
        ("SHARD_COUNT", "0"),
        ("LEASE_SECONDS", "nan"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_value_that_cannot_be_is_named(name: str, text: str) -> None:
    with pytest.raises(InvalidSettings, match=name):
        BridgeSettings.read({**REQUIRED, name: text})
