from typing import Any

import pytest
from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError, ConnectTimeoutError

from discord_agent.adapters.dynamodb.store import ConditionFailed, Store, delete, put, update
from discord_agent.domain.errors import StateUnavailable

WRITE = put("table", {"id": "1"})


class _Scripted:
    """A DynamoDB client that answers from a list and keeps what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.requests: list[dict[str, Any]] = []
        self._answers = list(answers)

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            self.requests.append(dict(request))
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def _refusal(code: str, *reasons: str, status: int = 400) -> ClientError:
    response: Any = {
        "Error": {"Code": code},
        "ResponseMetadata": {"HTTPStatusCode": status},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }
    return ClientError(response, "Write")


def _store(*answers: Any) -> tuple[Store, _Scripted, list[float]]:
    client: Any = _Scripted(*answers)
    pauses: list[float] = []
    return Store(client, pauses.append), client, pauses


def test_a_failed_condition_names_the_writes_whose_it_was() -> None:
    store, _, _ = _store(
        _refusal("TransactionCanceledException", "None", "ConditionalCheckFailed", "ConditionalCheckFailed")
    )
    with pytest.raises(ConditionFailed) as failure:
        store.transact(WRITE, WRITE, WRITE)
    assert failure.value.writes == {1, 2}


@pytest.mark.parametrize(
    "collision",
    [
        _refusal("TransactionCanceledException", "None", "TransactionConflict"),
        _refusal("TransactionConflictException"),
        _refusal("TransactionInProgressException"),
    ],
)
def test_writes_that_meet_another_transaction_are_tried_again_after_a_pause(collision: ClientError) -> None:
    store, client, pauses = _store(collision, collision, {})
    store.transact(WRITE)
    assert len(client.requests) == 3
    assert len(pauses) == 2


def test_an_item_that_stays_contended_is_given_up() -> None:
    store, client, _ = _store(_refusal("TransactionConflictException"))
    with pytest.raises(StateUnavailable):
        store.write(WRITE)
    assert len(client.requests) == 12


def test_a_failed_condition_counts_more_than_a_collision() -> None:
    store, _, pauses = _store(_refusal("TransactionCanceledException", "ConditionalCheckFailed", "TransactionConflict"))
    with pytest.raises(ConditionFailed):
        store.transact(WRITE, WRITE)
    assert pauses == []


@pytest.mark.parametrize(
    ("failure", "meaning"),
    [
        (_refusal("InternalServerError", status=500), StateUnavailable),
        (_refusal("ProvisionedThroughputExceededException"), StateUnavailable),
        (_refusal("TransactionCanceledException", "ThrottlingError"), StateUnavailable),
        (ConnectTimeoutError(endpoint_url="https://dynamodb"), StateUnavailable),
        (_refusal("ValidationException"), ClientError),
        (_refusal("AccessDeniedException"), ClientError),
    ],
)
def test_an_outage_is_worth_a_retry_and_a_refusal_is_not(failure: Exception, meaning: type[Exception]) -> None:
    store, _, _ = _store(failure)
    with pytest.raises(meaning):
        store.write(WRITE)


def test_all_pages_of_a_query_are_read() -> None:
    store, client, _ = _store(
        {"Items": [{"n": {"N": "1"}}], "LastEvaluatedKey": {"id": {"S": "1"}}}, {"Items": [{"n": {"N": "2"}}]}
    )
    assert [item["n"] for item in store.query("table", Key("id").eq("1"))] == [1, 2]
    assert [request.get("ExclusiveStartKey") for request in client.requests] == [None, {"id": {"S": "1"}}]
    assert all(request["ConsistentRead"] for request in client.requests)


def test_a_limited_query_asks_for_one_page_of_its_index() -> None:
    store, client, _ = _store({"Items": [], "LastEvaluatedKey": {"id": {"S": "1"}}})
    assert list(store.query("table", Key("id").eq("1"), index="by-time", newest_first=True, limit=3)) == []
    [request] = client.requests
    assert (request["IndexName"], request["Limit"], request["ScanIndexForward"]) == ("by-time", 3, False)
    assert "ConsistentRead" not in request


def test_an_update_sets_removes_adds_and_checks_in_one_expression() -> None:
    write = update(
        "table",
        {"id": "1"},
        values={"owner": "m-1", "ttl": None},
        add={"fence": 1},
        condition=Attr("owner").not_exists() | Attr("owner").eq("m-1"),
    )
    assert write.parameters == {
        "TableName": "table",
        "Key": {"id": {"S": "1"}},
        "UpdateExpression": "SET #u0 = :u0 REMOVE #u1 ADD #u2 :u2",
        "ConditionExpression": "(attribute_not_exists(#n0) OR #n1 = :v0)",
        "ExpressionAttributeNames": {"#n0": "owner", "#n1": "owner", "#u0": "owner", "#u1": "ttl", "#u2": "fence"},
        "ExpressionAttributeValues": {":v0": {"S": "m-1"}, ":u0": {"S": "m-1"}, ":u2": {"N": "1"}},
    }


def test_expressions_without_values_send_none() -> None:
    assert "ExpressionAttributeValues" not in update("table", {"id": "1"}, values={"ttl": None}).parameters
    assert "ExpressionAttributeValues" not in delete("table", {"id": "1"}, Attr("id").exists()).parameters
