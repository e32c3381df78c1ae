"""Errors as Discord's API reports them: an HTTP status, a JSON code and a sentence."""

from collections.abc import Mapping
from typing import Any

type Json = dict[str, Any]


class ApiError(Exception):
    """A request that Discord refuses; ``errors`` is the nested description of a form's faults."""

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        *,
        errors: Json | None = None,
        body: Json | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code} {message}")
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors
        self.body = body or {}
        self.headers = dict(headers or {})

    def payload(self) -> Json:
        """The JSON body."""
        errors = {"errors": self.errors} if self.errors else {}
        return {"message": self.message, "code": self.code, **errors, **self.body}


def unauthorized() -> ApiError:
    """The token is missing or wrong."""
    return ApiError(401, 0, "401: Unauthorized")


def unknown(what: str) -> ApiError:
    """Something that does not exist: application, channel, guild, message, user, emoji, webhook or interaction."""
    status, code = _UNKNOWN[what]
    return ApiError(status, code, f"Unknown {what}")


_UNKNOWN = {
    "Application": (404, 10002),
    "Channel": (404, 10003),
    "Guild": (404, 10004),
    "Member": (404, 10007),
    "Message": (404, 10008),
    "User": (404, 10013),
    "Emoji": (400, 10014),
    "Webhook": (404, 10015),
    "interaction": (404, 10062),
    "application command": (404, 10063),
}


def missing_access() -> ApiError:
    """The channel may not be seen."""
    return ApiError(403, 50001, "Missing Access")


def missing_permissions() -> ApiError:
    """The channel may be seen, but not this."""
    return ApiError(403, 50013, "Missing Permissions")


def empty_message() -> ApiError:
    """A message without content, embed, component or file."""
    return ApiError(400, 50006, "Cannot send an empty message")


def too_large() -> ApiError:
    """The request or one of its files is over the limit."""
    return ApiError(413, 40005, "Request entity too large")


class FormFaults:
    """Collects what is wrong with a form, then raises one error that names every field."""

    def __init__(self) -> None:
        self._errors: Json = {}

    def add(self, path: str, code: str, message: str) -> None:
        """Note a fault at a dotted path, such as ``embeds.0.title``."""
        node = self._errors
        for part in path.split("."):
            node = node.setdefault(part, {})
        node.setdefault("_errors", []).append({"code": code, "message": message})

    def too_long(self, path: str, limit: int) -> None:
        """Note a text or list over its limit."""
        self.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {limit} or fewer in length.")

    def required(self, path: str) -> None:
        """Note a missing field."""
        self.add(path, "BASE_TYPE_REQUIRED", "This field is required")

    def wrong_type(self, path: str, expected: str) -> None:
        """Note a field of the wrong JSON type."""
        self.add(path, "BASE_TYPE_BAD_TYPE", f"Expected {expected}.")

    def raise_if_any(self) -> None:
        """Raise ApiError 50035 if a fault was noted."""
        if self._errors:
            raise ApiError(400, 50035, "Invalid Form Body", errors=self._errors)


def invalid_form(path: str, code: str, message: str) -> ApiError:
    """Error 50035 with one fault."""
    errors: Json = {"_errors": [{"code": code, "message": message}]}
    for part in reversed(path.split(".")):
        errors = {part: errors}
    return ApiError(400, 50035, "Invalid Form Body", errors=errors)
