import pytest

from devstack.callers import is_program_here


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8080", "localhost:1", "LOCALHOST", "[::1]:99"])
def test_a_program_that_names_this_machine_is_answered(host: str) -> None:
    assert is_program_here({"host": host})


@pytest.mark.parametrize("host", ["", "evil.example", "127.0.0.1.evil.example:80", "localhost:80:80", "127.0.0.1@evil"])
def test_whoever_means_another_machine_is_not(host: str) -> None:
    assert not is_program_here({"host": host})


@pytest.mark.parametrize("header", ["origin", "sec-fetch-site"])
def test_a_browser_is_not_answered_whatever_it_says(header: str) -> None:
    assert not is_program_here({"host": "127.0.0.1", header: "none"})
