"""Holding the lease of a thread while a step works on it."""

from discord_agent.domain.run import Next, RunState
from discord_agent.domain.session import Lease
from discord_agent.ports import Leases


def hold(leases: Leases, run: RunState) -> Lease:
    """The lease for this attempt of a step: renewed, or taken anew by the step after a parked one.

    Raises LeaseLost when another run took the thread, Conflict when a parked run finds it taken.
    """
    comes_from_parking = run.next is Next.CLARIFY
    if comes_from_parking:
        return leases.acquire(run.thread_id, run.execution_id)
    return leases.renew(run.thread_id, run.execution_id)
