"""Everything that the emulator does not do as AWS does, mended in its process before it serves."""

from devstack.aws.mending import event_sources


def mend() -> None:
    """Mend every service, once."""
    event_sources.mend()
