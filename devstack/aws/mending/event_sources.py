"""Lambda's event source mappings are kept, and not polled: queues are consumed by the stack's own pollers alone."""

from ministack.services import lambda_svc


def mend() -> None:
    """Never start the emulator's poller."""
    lambda_svc._ensure_poller = _leave_alone  # noqa: SLF001 (no public way)


def _leave_alone() -> None:
    """Poll nothing."""
