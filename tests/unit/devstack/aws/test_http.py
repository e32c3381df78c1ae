"""The HTTP service of the stack's own services."""

from collections.abc import Iterator

import httpx
import pytest

from devstack.aws.http import HttpService, Request, Response


def respond(request: Request) -> Response:
    if request.path == "/broken":
        raise LookupError("nothing there")
    return Response(200, request.body, {"Said": request.header("say") or ""})


@pytest.fixture
def service() -> Iterator[HttpService]:
    running = HttpService()
    running.start(respond)
    yield running
    running.stop()


def test_a_request_is_answered_and_the_connection_kept(service: HttpService) -> None:
    with httpx.Client(base_url=service.url) as client:
        first = client.post("/x", content=b"body", headers={"SAY": "it"})
        second = client.post("/x", content=iter([b"in ", b"chunks"]))
    assert (first.content, first.headers["Said"], second.content) == (b"body", "it", b"in chunks")


def test_a_fault_of_ours_is_an_internal_failure_and_the_service_lives_on(
    service: HttpService, caplog: pytest.LogCaptureFixture
) -> None:
    with httpx.Client(base_url=service.url) as client:
        assert client.get("/broken").json()["__type"] == "InternalFailure"
        assert client.get("/x").status_code == 200
    assert "GET /broken failed" in caplog.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "rebound.evil.example:80"},
    ],
)
def test_a_page_in_a_browser_is_not_answered(service: HttpService, headers: dict[str, str]) -> None:
    with httpx.Client(base_url=service.url) as client:
        assert client.post("/x", content=b"{}", headers=headers).status_code == 403
        assert client.post("/x", content=b"{}").status_code == 200


def test_a_stopped_service_answers_nobody(service: HttpService) -> None:
    with httpx.Client(base_url=service.url) as client:
        client.get("/x")
        service.stop()
        with pytest.raises(httpx.TransportError):
            client.get("/x")
