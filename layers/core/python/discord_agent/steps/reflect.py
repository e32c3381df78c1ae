"""Writing down what a run taught."""

from copy import replace

from msgspec import Struct

from discord_agent.domain.conversation import Purpose
from discord_agent.domain.run import RunState
from discord_agent.ports import Leases
from discord_agent.steps.holding import hold
from discord_agent.steps.reflecting import Reflector
from discord_agent.steps.spending import Spending, payer_of


class Reflect(Struct, frozen=True):
    """The last thing a run does for the next one."""

    spending: Spending
    leases: Leases
    reflector: Reflector

    def __call__(self, run: RunState) -> RunState:
        """Add one reflection to the thread's memory; what was learned goes on with the run, for people to see."""
        lease = hold(self.leases, run)
        with self.spending.purse(payer_of(run), Purpose.REFLECT, str(lease.fence)) as purse:
            lesson = self.reflector.at_the_end(run, purse, lease)
        insight = lesson.insight
        return replace(
            run,
            usage=run.usage + purse.usage,
            cost=run.cost + purse.cost,
            lesson=insight.text if insight else run.lesson,
            lesson_id=insight.id if insight else run.lesson_id,
        )
