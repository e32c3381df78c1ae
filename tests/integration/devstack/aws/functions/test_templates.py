"""Functions forked from one template: they share its libraries and nothing else."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from devstack.aws.declared import Declared
from devstack.aws.errors import DidNotStart
from devstack.aws.functions.templates import Templates
from devstack.aws.stack import LocalAws
from discord_agent.declaration import Package
from tests.support.eventually import eventually
from tests.support.local_aws import FUNCTIONS, ROOT, function, records, system

LIBRARY = "httpx"


@pytest.fixture(scope="module")
def records_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("templates") / "records"


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("functions")
    for name in ("one", "other", "many", "tools"):
        (folder / name).mkdir()
        (folder / name / "handler.py").symlink_to(FUNCTIONS / "puppet" / "handler.py")
    return folder


@pytest.fixture(scope="module")
def aws(records_file: Path, roots: Path) -> Iterator[LocalAws]:
    declared = system(
        function(records_file, name="one", environment=(("OWN", "one"), ("SECRET", "of one"))),
        function(records_file, name="other", environment=(("OWN", "other"),)),
        function(records_file, name="many"),
        function(records_file, name="tools", package=Package.SANDBOX),
    )
    with LocalAws(Declared(declared, root=ROOT, functions_root=roots), templates=True) as stack:
        yield stack


def ask(aws: LocalAws, function_name: str, what: str, **event: Any) -> Any:
    return aws.invoke(function_name, {"do": what, **event}).payload


def template_of(aws: LocalAws, name: str) -> psutil.Process:
    pid = ask(aws, name, "calls")["pid"]
    parent = psutil.Process(pid).parent()
    assert parent is not None
    assert any(part.endswith("template_main.py") for part in parent.cmdline())
    return parent


def test_functions_of_a_package_come_from_one_template(aws: LocalAws) -> None:
    assert template_of(aws, "one") == template_of(aws, "other")
    assert template_of(aws, "tools") != template_of(aws, "one")


def test_no_function_sees_what_another_has_in_its_environment(aws: LocalAws) -> None:
    ask(aws, "one", "set", name="LEFT_BEHIND", value="by one")
    one, other = ask(aws, "one", "environment"), ask(aws, "other", "environment")
    assert (one["OWN"], other["OWN"]) == ("one", "other")
    assert not {"SECRET", "LEFT_BEHIND"} & other.keys()
    assert one["AWS_LAMBDA_RUNTIME_API"] != other["AWS_LAMBDA_RUNTIME_API"]


def test_a_function_imports_from_its_own_folder_and_the_layer(aws: LocalAws, roots: Path) -> None:
    layer = str(ROOT / "layers" / "core" / "python")
    for name in ("one", "other"):
        seen = ask(aws, name, "interpreter")
        assert seen["folder"] == str(roots / name)
        assert {path for path in seen["path"] if path.startswith(str(roots))} == {str(roots / name)}
        assert seen["path"].index(str(roots / name)) < seen["path"].index(layer)


def test_libraries_are_there_and_nothing_of_the_product(aws: LocalAws) -> None:
    modules = ask(aws, "one", "interpreter")["modules"]
    assert LIBRARY in modules
    assert not [
        each for each in modules if each.partition(".")[0] in {"discord_agent", "devstack", "tests", "functions"}
    ]


def test_a_copy_shares_neither_chance_nor_places_nor_connections(aws: LocalAws) -> None:
    one, other = ask(aws, "one", "interpreter"), ask(aws, "other", "interpreter")
    assert one["random"] != other["random"]
    assert one["temporary"] == ask(aws, "one", "environment")["TMPDIR"] != other["temporary"]
    assert (one["zone"], one["collecting"]) == ("UTC", True)
    assert one["connections"]
    assert not set(one["connections"]) & set(other["connections"])


def test_many_start_at_once(aws: LocalAws, records_file: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        calls = [
            pool.submit(aws.invoke, "many", {"do": "sleep", "seconds": 1, "name": "many", "result": n})
            for n in range(8)
        ]
        assert [call.result().payload for call in calls] == list(range(8))
    assert records(records_file).count({"sleeps": "many"}) == 8


def test_a_killed_template_takes_its_functions_with_it_and_is_replaced(aws: LocalAws, records_file: Path) -> None:
    template = template_of(aws, "one")
    warm = ask(aws, "other", "calls")["pid"]
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(aws.invoke, "one", {"do": "sleep", "seconds": 60, "name": "orphan"})
        eventually(lambda: {"sleeps": "orphan"} in records(records_file))
        os.kill(template.pid, signal.SIGKILL)
        assert call.result(timeout=10).error_type == "Runtime.ExitError"
    eventually(lambda: not psutil.pid_exists(warm) or psutil.Process(warm).status() == psutil.STATUS_ZOMBIE)
    assert ask(aws, "other", "echo", value=1) == 1
    assert template_of(aws, "one") != template


def test_without_templates_every_function_imports_what_it_needs_itself(records_file: Path) -> None:
    declared = Declared(system(function(records_file)), root=ROOT, functions_root=FUNCTIONS)
    with LocalAws(declared, templates=False) as aws:
        modules = ask(aws, "puppet", "interpreter")["modules"]
        assert "boto3" in modules
        assert LIBRARY not in modules


@pytest.mark.parametrize(
    ("library", "reason"),
    [("tests.support.starts_a_thread", "started 1 threads"), ("does_not_exist", "No module named")],
)
def test_a_template_that_cannot_be_copied_says_why(tmp_path: Path, library: str, reason: str) -> None:
    templates = Templates({Package.CORE: [library]}, tmp_path, lambda _name, _line: None)
    templates.start()
    try:
        with pytest.raises(DidNotStart, match=reason):
            templates.launch(Package.CORE, tmp_path, {"PYTHONPATH": ""}, [])
    finally:
        templates.stop()
