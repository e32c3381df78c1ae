from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from discord_agent.adapters.discord.signature import SignatureCheck
from discord_agent.domain.errors import InvalidSettings

KEY = SigningKey(bytes(range(32)))
CHECK = SignatureCheck(KEY.verify_key.encode().hex())
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BODY = b'{"type":1}'


def signed(body: bytes = BODY, at: datetime = NOW, key: SigningKey = KEY) -> dict[str, str]:
    timestamp = str(int(at.timestamp()))
    signature = key.sign(timestamp.encode() + body).signature.hex()
    return {"X-Signature-Ed25519": signature, "X-Signature-Timestamp": timestamp}


@given(st.binary())
def test_what_discord_signed_is_genuine_whatever_the_bytes(body: bytes) -> None:
    assert CHECK(signed(body), body, NOW)


def test_header_names_have_no_case() -> None:
    assert CHECK({name.lower(): value for name, value in signed().items()}, BODY, NOW)
    assert CHECK({name.upper(): value for name, value in signed().items()}, BODY, NOW)


@pytest.mark.parametrize("drift", [timedelta(minutes=5), timedelta(minutes=-5)])
def test_five_minutes_of_drift_are_allowed_and_a_second_more_is_not(drift: timedelta) -> None:
    second = timedelta(seconds=1 if drift > timedelta() else -1)
    assert CHECK(signed(at=NOW + drift), BODY, NOW)
    assert not CHECK(signed(at=NOW + drift + second), BODY, NOW)


def test_another_body_another_time_and_another_key_are_not_genuine() -> None:
    assert not CHECK(signed(), BODY + b" ", NOW)
    assert not CHECK(signed() | {"X-Signature-Timestamp": str(int(NOW.timestamp()) + 1)}, BODY, NOW)
    assert not CHECK(signed(key=SigningKey(bytes(32))), BODY, NOW)


@pytest.mark.parametrize("signature", ["", "0", "00", "zz" * 64, "00" * 63, "00" * 65, "0" * 127, " " * 128, "é" * 128])
def test_a_malformed_signature_is_not_genuine(signature: str) -> None:
    assert not CHECK(signed() | {"X-Signature-Ed25519": signature}, BODY, NOW)


@pytest.mark.parametrize("timestamp", ["", "soon", "-1", "1.5", "9" * 400, "٣", " 1"])
def test_a_malformed_timestamp_is_not_genuine(timestamp: str) -> None:
    headers = signed() | {"X-Signature-Timestamp": timestamp}
    signature = KEY.sign(timestamp.encode() + BODY).signature.hex()
    assert not CHECK(headers | {"X-Signature-Ed25519": signature}, BODY, NOW)


@given(st.dictionaries(st.text(), st.text()), st.binary())
def test_no_header_and_no_body_is_an_error(headers: dict[str, str], body: bytes) -> None:
    assert CHECK(headers, body, NOW) is False


@pytest.mark.parametrize("key", ["", "00", "zz" * 32, "0" * 63])
def test_a_public_key_that_is_none_is_named(key: str) -> None:
    with pytest.raises(InvalidSettings, match="DISCORD_PUBLIC_KEY"):
        SignatureCheck(key)
