"""Everything that the emulator does not do as AWS does, mended in its process before it serves."""

from devstack.aws.mending import alarms, event_sources, machines, security_groups, services, templates


def mend() -> None:
    """Mend every service, once."""
    for service in (alarms, event_sources, machines, security_groups, services, templates):
        service.mend()
