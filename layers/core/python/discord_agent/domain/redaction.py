"""Keeps secrets out of everything that leaves: chat, logs, audit trail, events, commits.

Two kinds are found: values known to be secret, also in the encodings in which tools print them, and what looks like
a credential of a well-known service. Redact before truncating: a secret that was cut in half is no longer found.

``text`` is for prose and tool output. ``code`` is for diffs and files, where a sample JWT, an ``Authorization``
header in a test or ``postgres://user:password@localhost`` is part of the work and has to stay readable; there only
known values, private keys and keys with a service's own prefix are removed. A commit is never altered: ``leaks``
tells what ``code`` would remove, so that it can be refused.

Everything takes time proportional to the text: patterns begin with a literal, and no part of them can match the same
characters in two ways.
"""

import base64
import html
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, quote_plus

from msgspec import Struct

MARK: Final = "[redacted]"
SHORTEST: Final = 8
"""Known values shorter than this are left alone: they would shred ordinary text."""

type Span = tuple[int, int]

_WORD: Final = r"A-Za-z0-9_-"
_START: Final = rf"(?:(?<![{_WORD}])|(?<=%3D)|(?<=%20)|(?<=%22)|(?<=\\n))"
"""Where a word starts, also after an encoded space, quote, equals sign or newline."""


class _Pattern(Struct, frozen=True):
    """A kind of credential; ``needles`` (lower case) tell cheaply that it cannot occur; the last group is what is secret.

    ``re`` compiles an expression when it is first needed, and keeps it: most are not in the life of a function.
    """

    kind: str
    needles: tuple[str, ...]
    regex: str
    flags: int

    def spans(self, text: str) -> Iterator[Span]:
        """Where it occurs."""
        for match in re.finditer(self.regex, text, self.flags):
            yield match.span(match.lastindex or 0)


def _pattern(kind: str, regex: str, *needles: str, flags: int = 0) -> _Pattern:
    return _Pattern(kind, needles, regex, flags | re.ASCII)


_SERVICE_KEYS: Final = (
    _pattern("Discord token", rf"{_START}([MNO][{_WORD}]{{23,27}}\.[{_WORD}]{{6,7}}\.[{_WORD}]{{27,45}}+)"),
    _pattern("Discord webhook", rf"/webhooks/[0-9]{{17,20}}/([{_WORD}]{{40,100}}+)", "/webhooks/"),
    _pattern("AWS key id", r"((?:AKIA|ASIA)[A-Z0-9]{16})(?![A-Za-z0-9])", "akia", "asia"),
    _pattern(
        "AWS secret",
        r"""aws_?(?:secret_?access_?key|session_?token)["']{0,2}\s{0,3}[:=]\s{0,3}["']{0,2}([A-Za-z0-9/+=]{40,2000}+)""",
        "aws_secret", "awssecret", "aws_session", "awssession", "secretaccesskey", "sessiontoken",
        flags=re.IGNORECASE,
    ),
    _pattern("GitHub token", r"(gh[pousr]_[A-Za-z0-9]{36,255}+|github_pat_[A-Za-z0-9_]{22,255}+)", "gh", "github_pat_"),
    _pattern("GitLab token", rf"(gl(?:pat|ptt|dt|rt|oas|cbt|ft)-[{_WORD}]{{20,255}}+)", "gl"),
    _pattern("Slack token", r"(xox[abeoprs]-[A-Za-z0-9-]{10,255}+|xapp-[0-9]-[A-Za-z0-9-]{10,255}+)", "xox", "xapp-"),
    _pattern("Slack webhook", r"hooks\.slack\.com/services/([A-Za-z0-9/]{20,100}+)", "hooks.slack.com"),
    _pattern(
        "model key",
        rf"{_START}(sk-(?:ant|proj|svcacct|admin|or|lf)-[{_WORD}]{{16,400}}+|sk-[A-Za-z0-9]{{20,200}}+)",
        "sk-",
    ),
    _pattern("Google key", rf"(AIza[{_WORD}]{{35}})", "aiza"),
    _pattern("Hugging Face token", r"(hf_[A-Za-z0-9]{30,100}+)", "hf_"),
    _pattern("package registry token", rf"(npm_[A-Za-z0-9]{{36}}|pypi-[{_WORD}]{{60,400}}+)", "npm_", "pypi-"),
    _pattern("Stripe key", r"((?:sk|rk)_live_[A-Za-z0-9]{20,200}+)", "k_live_"),
)  # fmt: skip

_CONTEXTUAL: Final = (
    _pattern(
        "authorization header",
        r"""(?:authorization|api-key)["']{0,2}\s{0,3}[:=]\s{0,3}["']{0,2}"""
        # Without a scheme a digit tells a credential from the words of a sentence about it.
        r"""(?:(?:bearer|basic|bot|token)\s{1,3}([A-Za-z0-9._~+/=-]{12,4000}+)"""
        r"""|(?=[A-Za-z._~+/=-]{0,400}[0-9])([A-Za-z0-9._~+/=-]{12,4000}+))""",
        "authorization", "api-key",
        flags=re.IGNORECASE,
    ),
    _pattern(
        "bearer token",
        # A digit tells a token from the words that follow "bearer" in prose.
        r"bearer\s{1,3}(?=[A-Za-z._~+/=-]{0,200}[0-9])([A-Za-z0-9._~+/=-]{16,4000}+)",
        "bearer",
        flags=re.IGNORECASE,
    ),
    _pattern("URL password", r"""://[^\s/:@"'<>]{0,128}:([^\s/@"'<>]{1,256})@""", "://"),
    _pattern(
        "JWT",
        rf"{_START}(eyJ[{_WORD}]{{8,4000}}+\.eyJ[{_WORD}]{{8,8000}}+\.[{_WORD}]{{8,2000}}+)",
        "eyj",
    ),
)  # fmt: skip

_KEY_BEGIN: Final = re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----")
_KEY_BODY: Final = re.compile(r"(?:[A-Za-z0-9+/=]|\s|\\[nr])*+", re.ASCII)
_KEY_END: Final = re.compile(r"-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----")
_KEY_MATERIAL: Final = re.compile(r"(?:\s|\\[nr]|[+ ])*+[A-Za-z0-9+/=:]{16}", re.ASCII)
"""What follows the first line of a real key; a program that merely names that line has none."""

_SECRET_NAMES: Final = re.compile(
    r".*(?:authorization|passw(?:or)?d|passphrase|secret|token|api_?key|private_?key|credentials?)", re.IGNORECASE
)


class Redactor(Struct, frozen=True):
    """Replaces secrets by a mark; ``secrets`` are the values known to be secret, and may grow meanwhile."""

    secrets: Collection[str] = ()

    def text(self, text: str) -> str:
        """Prose or tool output without secrets."""
        return _replaced(text, [*self._known(text), *_keys(text), *_matches(text, _SERVICE_KEYS + _CONTEXTUAL)])

    def code(self, text: str) -> str:
        """A diff or file without known secrets and service keys; sample tokens stay readable."""
        return _replaced(text, [*self._known(text), *_keys(text), *_matches(text, _SERVICE_KEYS)])

    def leaks(self, text: str) -> tuple[str, ...]:
        """The kinds of secrets that ``code`` would remove, in order; the samples of documentations are none."""
        kinds = ["known secret"] if any(True for _ in self._known(text)) else []
        kinds += ["private key"] if any(True for _ in _keys(text)) else []
        keys = (
            (pattern.kind, text[start:end]) for pattern in _SERVICE_KEYS for start, end in _matches(text, [pattern])
        )
        return (*kinds, *dict.fromkeys(kind for kind, key in keys if "example" not in key.lower()))

    def data(self, value: Any) -> Any:
        """JSON data without secrets: every text inside it, and whole values whose names say that they are secret."""
        match value:
            case str():
                return self.text(value)
            case Mapping():
                return {
                    self.text(key): MARK if isinstance(item, str) and item and names_secret(key) else self.data(item)
                    for key, item in value.items()
                }
            case list() | tuple():
                return [self.data(item) for item in value]
        return value

    def _known(self, text: str) -> Iterator[Span]:
        for secret in tuple(self.secrets):
            for form in forms(secret):
                start = text.find(form)
                while start >= 0:
                    yield start, start + len(form)
                    start = text.find(form, start + 1)


def names_secret(name: str) -> bool:
    """Whether a field's name says that its value is a credential."""
    return bool(_SECRET_NAMES.fullmatch(name))


@lru_cache(maxsize=64)
def forms(secret: str) -> frozenset[str]:
    """A known secret as tools print it: plain, and in base64, hex, URL, JSON and HTML encoding; empty if too short."""
    plain = secret.strip()
    if len(plain) < SHORTEST:
        return frozenset()
    raw = plain.encode("utf-8", "surrogatepass")
    quoted = {quote(raw, safe=""), quote(raw), quote_plus(raw)}
    escaped = {json.dumps(plain)[1:-1], json.dumps(plain, ensure_ascii=False)[1:-1], html.escape(plain)}
    hexed = {raw.hex(), raw.hex().upper()}
    lowered = {re.sub(r"%[0-9A-F]{2}", lambda escape: escape[0].lower(), text) for text in quoted}
    return frozenset({plain, *quoted, *lowered, *escaped, *hexed, *_base64(raw)})


def _base64(raw: bytes) -> Iterator[str]:
    """What of base64 text depends on ``raw`` alone, wherever it lies in the encoded bytes."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + raw).decode("ascii")
        first, last = -(-before * 8 // 6), (before + len(raw)) * 8 // 6
        yield encoded[first:last]
        yield encoded[first:last].replace("+", "-").replace("/", "_")


def _matches(text: str, patterns: Iterable[_Pattern]) -> Iterator[Span]:
    lower = text.lower()
    for pattern in patterns:
        if not pattern.needles or any(needle in lower for needle in pattern.needles):
            yield from pattern.spans(text)


def _keys(text: str) -> Iterator[Span]:
    """Private key blocks; of one whose end was cut off, as much as can be key material."""
    for begin in _KEY_BEGIN.finditer(text):
        if not _KEY_MATERIAL.match(text, begin.end()):
            continue
        dashes = text.find("-----", begin.end())
        end = _KEY_END.match(text, dashes) if dashes >= 0 else None
        body = end or _KEY_BODY.match(text, begin.end())
        yield begin.start(), body.end() if body else begin.end()


def _replaced(text: str, spans: Iterable[Span]) -> str:
    parts: list[str] = []
    covered = 0
    for start, end in sorted(spans):
        if end <= covered:
            continue
        if start >= covered:
            parts += (text[covered:start], MARK)
        covered = end
    return "".join((*parts, text[covered:]))
