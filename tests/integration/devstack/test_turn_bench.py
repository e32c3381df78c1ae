"""What the turn engine promises of requests, bytes and memory; time depends on the machine and is only measured."""

import pytest

from devstack import turn_bench

_COUNTED = [
    "S3 writes in a turn of 5 rounds",
    "DynamoDB writes in such a turn",
    "requests, last turn to first",
    "bytes, last turn to first",
    "memory over litellm",
]


@pytest.fixture(scope="module")
def met() -> dict[str, bool]:
    """Which targets one run with a long history meets."""
    return {target["name"]: target["met"] for target in turn_bench.measure(runs=1, turns=22)["targets"]}


@pytest.mark.parametrize("name", _COUNTED)
def test_a_turn_takes_no_more_than_its_share_whatever_its_number(met: dict[str, bool], name: str) -> None:
    assert met[name]
