"""Items of a restored table are put back into the one in use, but never a thread's lease."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from deployment import restoring
from discord_agent.domain.errors import InvalidSettings
from discord_agent.holdings import TABLES
from tests.support.data_plane import client, create_tables, data_plane

SESSIONS, RESTORED = TABLES["sessions"].name, "discord_sessions_restored"


@dataclass
class Tables:
    """The sessions table and one that was restored from a backup."""

    dynamodb: Any

    def put(self, table: str, record: str, **values: str) -> None:
        item = {"thread_id": {"S": "1"}, "record": {"S": record}} | {name: {"S": text} for name, text in values.items()}
        self.dynamodb.put_item(TableName=table, Item=item)

    def records(self) -> dict[str, str]:
        """What the table in use says, by record."""
        items = self.dynamodb.scan(TableName=SESSIONS, ConsistentRead=True)["Items"]
        return {item["record"]["S"]: item["text"]["S"] for item in items}


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tables]:
    with data_plane() as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        dynamodb = client("dynamodb", endpoint)
        create_tables(dynamodb)
        described = dynamodb.describe_table(TableName=SESSIONS)["Table"]
        dynamodb.create_table(
            TableName=RESTORED,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=described["KeySchema"],
            AttributeDefinitions=described["AttributeDefinitions"],
        )
        made = Tables(dynamodb)
        for record in ("session", "vote#1#2", "lock"):
            made.put(RESTORED, record, text="before")
        made.put(SESSIONS, "session", text="after")
        made.put(SESSIONS, "lock", text="after")
        yield made


def test_only_what_is_missing_is_put_back(tables: Tables, capsys: pytest.CaptureFixture[str]) -> None:
    assert restoring.run("sessions", RESTORED, replace=False, write=True) == 0
    assert tables.records() == {"session": "after", "vote#1#2": "before", "lock": "after"}
    assert capsys.readouterr().out == f"1 items of {RESTORED} were put back.\n"


def test_what_changed_is_put_back_when_asked_but_a_lease_never_is(tables: Tables) -> None:
    restoring.run("sessions", RESTORED, replace=True, write=True)
    assert tables.records() == {"session": "before", "vote#1#2": "before", "lock": "after"}


def test_without_being_told_to_write_items_are_only_counted(tables: Tables, capsys: pytest.CaptureFixture[str]) -> None:
    restoring.run("sessions", RESTORED, replace=True, write=False)
    assert tables.records() == {"session": "after", "lock": "after"}
    assert "2 items" in capsys.readouterr().out


def test_a_table_that_does_not_exist_is_named_as_the_fault(tables: Tables) -> None:
    with pytest.raises(restoring.NotRestored, match="another_table"):
        restoring.run("sessions", "another_table", replace=False, write=True)


@pytest.mark.parametrize(
    ("table", "source", "words"), [("rooms", RESTORED, "there is no table"), ("sessions", SESSIONS, "in use")]
)
def test_what_cannot_be_meant_is_refused(table: str, source: str, words: str) -> None:
    with pytest.raises(InvalidSettings, match=words):
        restoring.run(table, source, replace=False, write=True)
