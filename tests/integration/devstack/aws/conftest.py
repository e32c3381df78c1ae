"""One stack for all tests that only need a place to run state machines in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.aws.declared import Declared
from devstack.aws.stack import LocalAws
from tests.support.local_aws import FUNCTIONS, MACHINES, ROOT, States, function, system


@pytest.fixture(scope="session")
def shared_records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the shared stack's puppet writes."""
    return tmp_path_factory.mktemp("shared") / "records"


@pytest.fixture(scope="session")
def fast_aws(shared_records: Path) -> Iterator[LocalAws]:
    """A stack whose functions run in this process, and whose waits take a hundredth."""
    declared = Declared(
        system(function(shared_records), roles={"machines": MACHINES}), root=ROOT, functions_root=FUNCTIONS
    )
    with LocalAws(declared, mode="in_process", time_scale=0.01) as aws:
        yield aws


@pytest.fixture
def states(fast_aws: LocalAws) -> States:
    """State machines on the shared stack."""
    return States(fast_aws)
