import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from discord_agent.domain.errors import InvalidEvent, InvalidSettings
from discord_agent.edge import compose, read_request, write_response
from discord_agent.steps.interactions import HttpRequest, HttpResponse

LAYER = Path(__file__).parents[3] / "layers" / "core" / "python"
RAW = '{"content":"ü"}'


def test_a_plain_body_and_an_encoded_one_give_the_same_bytes() -> None:
    headers = {"x-signature-timestamp": "1"}
    plain = read_request({"headers": headers, "body": RAW, "isBase64Encoded": False})
    encoded = read_request(
        {"headers": headers, "body": base64.b64encode(RAW.encode()).decode(), "isBase64Encoded": True}
    )
    assert plain == encoded == HttpRequest(headers, RAW.encode())


def test_a_request_without_a_body_has_an_empty_one() -> None:
    assert read_request({"headers": {}}).body == b""


@pytest.mark.parametrize(
    "event", [{}, {"headers": []}, {"headers": {}, "body": 5}, {"headers": {}, "body": "%", "isBase64Encoded": True}]
)
def test_an_event_that_is_no_http_request_is_invalid(event: dict[str, object]) -> None:
    with pytest.raises(InvalidEvent):
        read_request(event)


def test_a_response_is_json() -> None:
    response = write_response(HttpResponse(200, {"type": 1}))
    assert response["statusCode"] == 200
    assert response["headers"] == {"content-type": "application/json"}
    assert json.loads(response["body"]) == {"type": 1}


def test_missing_settings_are_named() -> None:
    with pytest.raises(InvalidSettings, match="DISCORD_PUBLIC_KEY") as caught:
        compose({})
    assert "DISCORD_MESSAGES_QUEUE_URL" in str(caught.value)


def test_the_endpoint_loads_nothing_that_costs_its_three_seconds() -> None:
    script = "import sys, discord_agent.edge; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=LAYER, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "nacl" in loaded
    assert not {"litellm", "mcp", "httpx", "aws_lambda_powertools", "jinja2", "dulwich"} & set(loaded)
