import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from discord_agent.domain.redaction import MARK, SHORTEST, Redactor, forms, names_secret

SECRETS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=SHORTEST, max_size=60).filter(
    lambda text: len(text.strip()) >= SHORTEST
)
CALM_TEXT = st.text("abcdefghij ,\n", max_size=40)

DISCORD = "MTIzNDU2Nzg5MDEyMzQ1Njc4" + "." + "GabcDE" + "." + "abcdefghijklmnopqrstuvwxyz0123456789AB"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
KEY = (
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAx1y2z3a4b5c6d7e8\nf9g0h1i2j3k4l5m6\n-----END RSA PRIVATE KEY-----"
)

SERVICE_KEYS = {
    "Discord token": DISCORD,
    "AWS key id": "AKIA" + "Q3EGRIBPXLJKWVZ2",
    "GitHub token": "ghp_" + "a1B2" * 9,
    "GitHub token (fine)": "github_pat_" + "a1B2_" * 8,
    "GitLab token": "glpat-" + "a1B2c3D4e5F6g7H8i9J0",
    "Slack token": "xoxb-" + "1234567890-abcdefghij",
    "Anthropic key": "sk-ant-" + "api03-a1B2c3D4e5F6",
    "OpenAI key": "sk-proj-" + "a1B2c3D4e5F6g7H8",
    "OpenAI old key": "sk-" + "a1B2" * 12,
    "Google key": "AIza" + "a1B2c3D4e5F6g7H8i9J0a1B2c3D4e5F6g7H",
    "Hugging Face token": "hf_" + "a1B2" * 8,
    "npm token": "npm_" + "a1B2" * 9,
    "Stripe key": "sk_live_" + "a1B2" * 6,
}


@given(secret=SECRETS, before=CALM_TEXT, after=CALM_TEXT, data=st.data())
def test_a_known_secret_never_survives_in_any_encoding(
    secret: str, before: str, after: str, data: st.DataObject
) -> None:
    plain = secret.strip()
    raw = plain.encode()
    padding = data.draw(st.binary(max_size=5))
    wrapped = {
        "plain": plain,
        "json": json.dumps(plain)[1:-1],
        "json unicode": json.dumps(plain, ensure_ascii=False)[1:-1],
        "url": quote(plain, safe=""),
        "form": quote_plus(plain),
        "hex": raw.hex(),
        "base64": base64.b64encode(padding + raw + padding).decode(),
        "base64 for urls": base64.urlsafe_b64encode(padding + raw + padding).decode(),
    }
    found = data.draw(st.sampled_from(sorted(wrapped)))
    for clean in (Redactor(frozenset({secret})).text, Redactor(frozenset({secret})).code):
        shown = clean(before + wrapped[found] + after)
        assert MARK in shown
        assert not any(form in shown.replace(MARK, "\0") for form in forms(secret))


@given(one=SECRETS, two=SECRETS, text=st.data())
def test_overlapping_secrets_leave_no_piece_of_each_other(one: str, two: str, text: st.DataObject) -> None:
    one, two = one.strip(), two.strip()
    overlap = text.draw(st.integers(1, 4))
    joined = one + one[-overlap:] + two
    shown = Redactor(frozenset({one, one[-overlap:] + two})).text(joined).replace(MARK, "\0")
    assert one not in shown
    assert two not in shown


@given(text=st.text("abcdefghij ,\n", max_size=200), secret=st.text("XYZ", min_size=8, max_size=12))
def test_text_without_secrets_stays_as_it_is(text: str, secret: str) -> None:
    redactor = Redactor(frozenset({secret}))
    assert redactor.text(text) == text
    assert redactor.code(text) == text
    assert redactor.leaks(text) == ()


@given(
    parts=st.lists(
        st.sampled_from([*SERVICE_KEYS.values(), JWT, KEY, "Bearer abc123def456ghi7", " ", "\n", "x"]), max_size=8
    )
)
def test_redacting_twice_changes_nothing_more(parts: list[str]) -> None:
    once = Redactor().text(" ".join(parts))
    assert Redactor().text(once) == once


def test_short_known_values_do_not_shred_ordinary_text() -> None:
    assert Redactor(frozenset({"", " ", "{}", "token"})).text("a token {} of trust") == "a token {} of trust"


@pytest.mark.parametrize("key", SERVICE_KEYS.values(), ids=SERVICE_KEYS.keys())
@pytest.mark.parametrize("around", ["{}", "key={}", 'KEY="{}"', "say {}, please", "line\\n{}\\n", "key%3D{}%22"])
def test_keys_of_services_are_removed_from_prose_and_from_code(key: str, around: str) -> None:
    expected = around.format(MARK)
    assert Redactor().text(around.format(key)) == expected
    assert Redactor().code(around.format(key)) == expected
    assert Redactor().leaks(around.format(key)) != ()


def test_a_truncated_secret_would_be_missed_so_redaction_comes_first() -> None:
    text = f"the key is {SERVICE_KEYS['OpenAI old key']}"
    assert MARK in Redactor().text(text)[:25]
    assert MARK not in Redactor().text(text[:25])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"Authorization: Bearer {JWT}", f"Authorization: Bearer {MARK}"),
        ('"authorization": "Basic dXNlcjpwYXNz"', f'"authorization": "Basic {MARK}"'),
        ("-H 'x-api-key: abcdefgh1234'", f"-H 'x-api-key: {MARK}'"),
        ("used bearer abcdef123456abcdef", f"used bearer {MARK}"),
        (f"cookie session={JWT};", f"cookie session={MARK};"),
        ("postgres://app:hunter2@db/main", f"postgres://app:{MARK}@db/main"),
        ("https://x-token:abc@git.example", f"https://x-token:{MARK}@git.example"),
        ("AWS_SECRET_ACCESS_KEY=" + "aB3/" * 10, f"AWS_SECRET_ACCESS_KEY={MARK}"),
        ("https://discord.com/api/webhooks/" + "1" * 18 + "/" + "aB3_" * 17, f"https://discord.com/api/webhooks/{'1' * 18}/{MARK}"),
        ("https://hooks.slack.com/services/" + "T00000000/B00000000/" + "x" * 24, f"https://hooks.slack.com/services/{MARK}"),
    ],
)  # fmt: skip
def test_credentials_are_recognised_by_what_stands_around_them(text: str, shown: str) -> None:
    assert Redactor().text(text) == shown


@pytest.mark.parametrize(
    "code",
    [
        f'TOKEN = "{JWT}"',
        f'client.get("/me", headers={{"Authorization": "Bearer {JWT}"}})',
        'headers["Authorization"] = f"Bearer {token}"',
        "DATABASE_URL=postgres://user:password@localhost/test",
        'if line.startswith("-----BEGIN PRIVATE KEY-----"):\n    raise ValueError(line)',
        "class sk-loading-spinner-wrapper-inner-element {}",
        "task-abcdefghijklmnopqrstuvwxyz012345",
    ],
)
def test_sample_tokens_in_code_stay_readable(code: str) -> None:
    assert Redactor().code(code) == code
    assert Redactor().leaks(code) == ()


@pytest.mark.parametrize(
    "prose",
    [
        "The bearer authentication-middleware-implementation is done.",
        "Authorization: required-for-every-endpoint",
        'Send "Authorization: Bearer <token>" or "Bearer ${TOKEN}".',
        'headers["Authorization"] = f"Bearer {token}"',
        "sha 3b18e512dba79e4c8300dd08aeb37f8e728b8dad, see https://example.com:8080/a@b",
        "Use python -----BEGIN PRIVATE KEY----- as the marker.",
        "task-abcdefghijklmnopqrstuvwxyz012345",
    ],
)
def test_talking_about_credentials_is_not_showing_one(prose: str) -> None:
    assert Redactor().text(prose) == prose


@pytest.mark.parametrize("shape", ["{}", "+{}", '"{}"'])
def test_private_keys_are_removed_whole(shape: str) -> None:
    key = KEY.replace("\n", "\\n") if shape.startswith('"') else KEY
    assert Redactor().code(f"before {shape.format(key)} after") == f"before {shape.format(MARK)} after"
    assert Redactor().leaks(key) == ("private key",)


def test_a_private_key_inside_a_diff_is_removed_whole() -> None:
    diff = "".join(f"+{line}\n" for line in KEY.split("\n"))
    assert Redactor().code(diff) == f"+{MARK}\n"


def test_of_a_private_key_without_its_end_the_material_is_removed() -> None:
    cut_off = KEY[: KEY.index("-----END")]
    assert Redactor().text(f"{cut_off}… and more") == f"{MARK}… and more"


def test_data_is_cleaned_in_depth_and_by_names() -> None:
    redactor = Redactor(frozenset({"correct horse"}))
    assert redactor.data(
        {
            "said": ["the correct horse", 3, None, {"deep": True}],
            "taskToken": "AAAA",
            "password": "hunter2",
            "tokens": 12,
            "token": "",
            "correct horse": 1,
        }
    ) == {
        "said": [f"the {MARK}", 3, None, {"deep": True}],
        "taskToken": MARK,
        "password": MARK,
        "tokens": 12,
        "token": "",
        MARK: 1,
    }


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [("Authorization", True), ("api_key", True), ("apiKey", True), ("task_token", True), ("inputTokens", False), ("tokenizer", False)],
)  # fmt: skip
def test_names_tell_whether_a_value_is_secret(name: str, is_secret: bool) -> None:
    assert names_secret(name) is is_secret


@given(text=st.text(max_size=300))
def test_any_text_can_be_redacted(text: str) -> None:
    assume(MARK not in text)
    assert isinstance(Redactor(frozenset({"known-value"})).text(text), str)


def test_the_samples_of_documentations_are_no_leaks() -> None:
    sample, real = "AKIAIOSFODNN7EXAMPLE", SERVICE_KEYS["AWS key id"]
    assert Redactor().leaks(f"key = {sample}") == ()
    assert Redactor().leaks(f"key = {sample}, then {real}") == ("AWS key id",)
