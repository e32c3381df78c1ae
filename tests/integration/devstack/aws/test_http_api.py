"""The HTTP API in front of functions."""

from collections.abc import Iterator
from copy import replace
from pathlib import Path

import httpx
import pytest

from devstack.aws.declared import Declared
from devstack.aws.stack import LocalAws
from tests.support.local_aws import FUNCTIONS, ROOT, function, system


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    declared = replace(function(Path(tmp_path_factory.mktemp("api")) / "records"), path="/puppet")
    with LocalAws(Declared(system(declared), root=ROOT, functions_root=FUNCTIONS), mode="in_process") as aws:
        yield aws.api_url


def test_a_function_that_gives_no_answer_is_the_apis_failure(api: str) -> None:
    answer = httpx.post(f"{api}/puppet", json={})
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})


def test_what_no_route_names_is_not_found(api: str) -> None:
    for answer in (httpx.post(f"{api}/other"), httpx.get(f"{api}/puppet")):
        assert (answer.status_code, answer.json()) == (404, {"message": "Not Found"})
