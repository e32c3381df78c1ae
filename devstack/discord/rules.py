"""The numbers a Discord server enforces, so that tests can be strict or relaxed about each."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """At most ``requests`` per ``seconds``; the window opens with its first request."""

    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Rules:
    """Limits and times; the defaults are Discord's own as far as they are documented or were observed."""

    all_requests: Window = Window(50, 1)
    message_creates: Window = Window(5, 5)
    message_edits: Window = Window(5, 5)
    message_deletes: Window = Window(5, 1)
    reactions: Window = Window(1, 0.25)
    other_requests: Window = Window(50, 1)
    renames: Window = Window(2, 600)
    old_message_edits: Window = Window(10, 3600)
    old_message_age: float = 3600
    invalid_requests: Window = Window(10_000, 600)

    heartbeat_interval: float = 41.25
    identifies: Window = Window(1000, 86_400)
    identify_concurrency: Window = Window(1, 5)
    gateway_sends: Window = Window(120, 60)
    gateway_payload: int = 4096
    resume_window: float = 180
    replay_buffer: int = 2000

    interaction_deadline: float = 3
    interaction_life: float = 900
    nonce_window: float = 300
    attachment_life: float = 86_400
    file_size: int = 10 * 1024 * 1024
    request_size: int = 25 * 1024 * 1024


def relaxed() -> Rules:
    """Rules without rate limits, for tests that are not about them."""
    many = Window(1_000_000, 1)
    return Rules(
        all_requests=many,
        message_creates=many,
        message_edits=many,
        message_deletes=many,
        reactions=many,
        other_requests=many,
        renames=many,
        old_message_edits=many,
        identify_concurrency=many,
    )
