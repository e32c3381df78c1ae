import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from devstack.samples_signed import sign_sample
from discord_agent.adapters.discord.signature import SignatureCheck
from discord_agent.edge import read_request

KEY = SigningKey(bytes(range(32)))
CHECK = SignatureCheck(KEY.verify_key.encode().hex())
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SAMPLES = sorted((Path(__file__).parents[3] / "events" / "interactions").glob("*.json"))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_every_sample_is_genuine_once_signed_but_the_one_that_is_not_meant_to_be(sample: Path) -> None:
    event = sign_sample(json.loads(sample.read_text(encoding="utf-8")), KEY, NOW)
    request = read_request(event)
    assert CHECK(request.headers, request.body, NOW) is (sample.stem != "bad_signature")


def test_a_signed_sample_holds_its_payload_as_the_body() -> None:
    event: dict[str, Any] = {"version": "2.0", "headers": {"a": "b"}, "_unsigned": {"type": 1, "note": "ü"}}
    signed = sign_sample(event, KEY, NOW)
    assert json.loads(signed["body"]) == {"type": 1, "note": "ü"}
    assert signed["headers"]["a"] == "b"
    assert "_unsigned" not in signed
    assert "_unsigned" in event


def test_an_event_without_a_payload_to_sign_stays_as_it_is() -> None:
    event: dict[str, Any] = {"Records": []}
    assert sign_sample(event, KEY, NOW) is event
