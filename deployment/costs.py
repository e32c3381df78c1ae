"""What the system costs in AWS: bills made of the declaration, of what was measured, and of list prices."""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from deployment.measured import TURNS, Measured, Taken
from discord_agent.adapters.llm.model import POLL_SECONDS
from discord_agent.declaration import Function, Package, System
from discord_agent.domain.list_prices import FREE, PRICES, Unit
from discord_agent.sandbox.processes import STOP_POLL_SECONDS
from gateway_bridge.bridge import Pace
from gateway_bridge.settings import DEFAULT_LEASE_SECONDS

type Settings = Mapping[str, str]

HOURS: Final = Decimal(730)
"""In a month, as AWS counts."""
MODEL_SECONDS: Final = Decimal(20)
SANDBOX_SECONDS: Final = Decimal(10)
"""Of each turn of the run that is priced."""

# What is not measured here, on the dear side.
POLLERS: Final = 5
QUEUE_POLL_SECONDS: Final = Decimal(20)
"""Of an event source on an empty queue: connections that ask, and how long each answer takes. AWS reduces their number only
for standard queues without a bound on concurrency, which all of ours have."""
REQUEST_SECONDS: Final = Decimal("0.01")
STEP_SECONDS: Final = Decimal("0.5")
"""What an invocation needs besides requests to AWS: Discord, above all."""
REPLY_SECONDS: Final = Decimal(5)
"""A model's reply outside of turns: decision, plan, answer, reflection."""
START_SECONDS: Final = {
    Package.CORE: Decimal(1),
    Package.GIT: Decimal(1),
    Package.MODELS: Decimal("2.5"),
    Package.SANDBOX: Decimal(2),
}
"""What the first call of a function pays for loading it."""
IMAGES_GB: Final = {"sandbox": Decimal("0.6"), "bridge": Decimal("0.1")}
REPORT_BYTES: Final = Decimal(1000)
"""What the bridge logs with each report."""
STATE_LOG_BYTES: Final = Decimal(3500)
"""What a state machine logs for a state: five events without data."""
FROM_QUEUE: Final = 3
"""Requests a message takes on its way through a queue: sent, received, deleted."""

_TURN: Final = "turn"
_SECONDS: Final = HOURS * 3600
_MB: Final = Decimal(1024)
_GB: Final = Decimal(1024**3)


@dataclass(frozen=True, slots=True)
class Line:
    """So many units for something."""

    what: str
    unit: Unit
    quantity: Decimal

    @property
    def price(self) -> Decimal:
        """In US dollars, without free tiers."""
        return self.quantity * PRICES[self.unit]


@dataclass(frozen=True, slots=True)
class Target:
    """A figure in US dollars, and what it has to stay under, None for nothing."""

    name: str
    value: Decimal
    limit: Decimal | None = None

    @property
    def met(self) -> bool:
        """Whether it does."""
        return self.limit is None or self.value < self.limit


type Bill = tuple[Line, ...]


def listed(bill: Sequence[Line]) -> Decimal:
    """What a bill comes to at list prices."""
    return sum((line.price for line in bill), Decimal())


def charged(bill: Sequence[Line]) -> Decimal:
    """What a month's bill comes to in an account that uses its free allowances for nothing else.

    Where units of different prices share an allowance, it is taken to cover the cheapest.
    """
    left = list(bill)
    saved = Decimal()
    for units, allowance in FREE:
        free = Decimal(allowance)
        for line in sorted((line for line in left if line.unit in units), key=lambda line: PRICES[line.unit]):
            covered = min(free, line.quantity)
            free -= covered
            saved += covered * PRICES[line.unit]
    return listed(bill) - saved


def defaults(system: System, **chosen: str) -> Settings:
    """The settings as they are unless chosen otherwise."""
    return {key: setting.default for key, setting in system.settings.items()} | chosen


def idle_month(system: System, settings: Settings) -> Bill:
    """A month in which nobody says anything."""
    return _summed(tuple(_idle(system, settings)))


def targets(system: System, measured: Mapping[str, Measured]) -> tuple[Target, ...]:
    """What people ask for first, with the default settings; months after the free allowances, requests at list prices."""
    usual, without = defaults(system), defaults(system, bridge="false")
    each = turn(system, usual, measured["run"])
    return (
        Target("idle month with the bridge", charged(idle_month(system, usual)), Decimal(13)),
        Target("idle month without the bridge", charged(idle_month(system, without)), Decimal(1)),
        Target("a question", listed(request(system, usual, measured["question"]))),
        Target(f"a run of {TURNS} turns, to the merge", each * TURNS),
        Target("a turn of it, with its share of everything", each, Decimal("0.001")),
    )


def _idle(system: System, settings: Settings) -> Iterator[Line]:
    yield from _polling(system)
    has_bridge = settings["bridge"] == "true"
    if has_bridge:
        yield from _bridge(system, settings)
    alarms = [
        alarm for alarm in system.alarms.values() if not alarm.only_with or settings.get(alarm.only_with) == "true"
    ]
    yield Line("alarms", Unit.ALARM, Decimal(len(alarms)))
    yield Line("dashboard", Unit.DASHBOARD, Decimal(1))
    yield Line("image of the sandbox", Unit.IMAGE_GB, IMAGES_GB["sandbox"])
    if _uses_secrets_manager(system):
        yield Line("secrets", Unit.SECRET, Decimal(len(system.secrets)))
    if settings["snap_start"] == "true":
        kept = sum(
            (_gigabytes(each) for each in system.functions.values() if each.package is not Package.SANDBOX), Decimal()
        )
        yield Line("snapshots of one version of each function", Unit.SNAPSHOT_KEPT, kept * _SECONDS)
    if settings["customer_managed_key"] == "true":
        yield Line("key of your own", Unit.KEY, Decimal(1))


def _polling(system: System) -> Iterator[Line]:
    for function in system.functions.values():
        for source in function.sources:
            queue = system.queues[source.queue]
            unit = Unit.FIFO_REQUEST if queue.fifo else Unit.QUEUE_REQUEST
            yield Line(f"{function.name} waits on {queue.name}", unit, POLLERS * _SECONDS / QUEUE_POLL_SECONDS)


def _bridge(system: System, settings: Settings) -> Iterator[Line]:
    arm = settings["architecture"] == "arm64"
    renewal = Decimal(str(DEFAULT_LEASE_SECONDS)) / 3
    for service in system.services.values():
        cores, memory = Decimal(service.cpu) / 1024, Decimal(service.memory) / 1024
        yield Line(f"{service.name}: CPU", Unit.VCPU_HOUR_ARM if arm else Unit.VCPU_HOUR_X86, cores * HOURS)
        yield Line(f"{service.name}: memory", Unit.MEMORY_HOUR_ARM if arm else Unit.MEMORY_HOUR_X86, memory * HOURS)
        yield Line(f"{service.name}: address", Unit.ADDRESS_HOUR, HOURS)
        yield Line(f"{service.name}: renews its lease", Unit.TABLE_WRITE, _SECONDS / renewal)
        yield Line(f"{service.name}: says that it hears", Unit.METRIC, Decimal(1))
        yield Line(f"{service.name}: log", Unit.LOG_GB, _SECONDS / Decimal(str(Pace().report)) * REPORT_BYTES / _GB)
        yield Line(f"{service.name}: image", Unit.IMAGE_GB, IMAGES_GB["bridge"])


def request(system: System, settings: Settings, measured: Measured, turns: int = 0) -> Bill:
    """One request as it was measured, on functions that were not called for a while; ``turns`` of the model's and the sandbox's time."""
    lines = [
        line
        for name, taken in measured.functions.items()
        for line in _function(system.functions[name], settings, taken, turns)
    ]
    lines += [
        Line("states entered", Unit.TRANSITION, Decimal(measured.transitions)),
        Line("logs", Unit.LOG_GB, measured.transitions * STATE_LOG_BYTES / _GB),
        Line("message to intake", Unit.FIFO_REQUEST, Decimal(FROM_QUEUE)),
        Line(
            "traces",
            Unit.TRACE,
            Decimal(sum(not system.functions[name].tenant_isolated for name in measured.functions)),
        ),
    ]
    if settings["customer_managed_key"] == "true":
        encrypted = sum(
            taken.object_reads + taken.object_writes + taken.messages * FROM_QUEUE
            for taken in measured.functions.values()
        )
        lines.append(Line("use of the key", Unit.KEY_REQUEST, Decimal(encrypted)))
    return _summed(lines)


def turn(system: System, settings: Settings, measured: Measured) -> Decimal:
    """One of the run's turns at list prices, with its share of everything else in the run."""
    return listed(request(system, settings, measured, TURNS)) / TURNS


def _function(function: Function, settings: Settings, taken: Taken, turns: int) -> Iterator[Line]:
    requests = taken.table_reads + taken.table_writes + taken.object_reads + taken.object_writes + taken.messages
    busy = _waiting(function, taken, turns) + REQUEST_SECONDS * requests + _own_time(function, taken)
    arm = settings["architecture"] == "arm64"
    unit = Unit.LAMBDA_ARM if arm else Unit.LAMBDA_X86
    yield Line(f"{_grouped(function, turns)}: time", unit, _gigabytes(function) * busy)
    if settings["snap_start"] == "true" and function.package is not Package.SANDBOX:
        yield Line("snapshots restored", Unit.SNAPSHOT_RESTORED, _gigabytes(function))
    else:
        yield Line("loading of functions", unit, _gigabytes(function) * START_SECONDS[function.package])
    if function.tenant_isolated:
        yield Line("looking for a stop: objects", Unit.OBJECT_READ, turns * SANDBOX_SECONDS / _every(STOP_POLL_SECONDS))
    if function.name == _TURN:
        waited = turns * (MODEL_SECONDS + SANDBOX_SECONDS)
        yield Line("looking for a stop: tables", Unit.TABLE_READ, waited / _every(POLL_SECONDS))
    if function.tenant_isolated:
        yield Line("environment of the thread's own", Unit.LAMBDA_TENANT, _gigabytes(function))
    if function.path:
        yield Line("requests of Discord", Unit.API_REQUEST, Decimal(taken.invocations))
    yield Line("invocations", Unit.LAMBDA_REQUEST, Decimal(taken.invocations))
    yield Line("tables: reads", Unit.TABLE_READ, Decimal(taken.table_reads))
    yield Line("tables: writes", Unit.TABLE_WRITE, Decimal(taken.table_writes))
    yield Line("objects: reads", Unit.OBJECT_READ, Decimal(taken.object_reads))
    yield Line("objects: writes", Unit.OBJECT_WRITE, Decimal(taken.object_writes))
    yield Line("events and wake-ups", Unit.QUEUE_REQUEST, Decimal(taken.messages * FROM_QUEUE))
    yield Line("logs", Unit.LOG_GB, Decimal(taken.log_bytes) / _GB)


def _grouped(function: Function, turns: int) -> str:
    """Functions that work through the turns by themselves, the others together."""
    return function.name if not turns or function.tenant_isolated or function.name == _TURN else "the other functions"


def _waiting(function: Function, taken: Taken, turns: int) -> Decimal:
    """For the model and the sandbox, which Lambda charges for like work."""
    if function.tenant_isolated:
        return turns * SANDBOX_SECONDS
    if function.name == _TURN:
        return turns * (MODEL_SECONDS + SANDBOX_SECONDS)
    return REPLY_SECONDS * taken.invocations if function.package is Package.MODELS else Decimal()


def _own_time(function: Function, taken: Taken) -> Decimal:
    return Decimal() if function.tenant_isolated else STEP_SECONDS * taken.invocations


def _every(seconds: float) -> Decimal:
    return Decimal(str(seconds))


def _gigabytes(function: Function) -> Decimal:
    return function.memory / _MB


def _uses_secrets_manager(system: System) -> bool:
    actions = {
        action for function in system.functions.values() for grant in function.grants for action in grant.actions
    }
    return any(action.startswith("secretsmanager:") for action in actions)


def _summed(lines: Sequence[Line]) -> Bill:
    """One line for each thing, the dearest first."""
    quantities: dict[tuple[str, Unit], Decimal] = defaultdict(Decimal)
    for line in lines:
        quantities[line.what, line.unit] += line.quantity
    summed = [Line(what, unit, quantity) for (what, unit), quantity in quantities.items() if quantity]
    return tuple(sorted(summed, key=lambda line: line.price, reverse=True))


def run(system: System, measured: Mapping[str, Measured], *, as_json: bool) -> int:
    """The command: the figures that have targets, or with the bills behind them as JSON; 1 if a target is missed."""
    found = targets(system, measured)
    if as_json:
        bills = {
            "idle_month": idle_month(system, defaults(system)),
            "question": request(system, defaults(system), measured["question"]),
            "run": request(system, defaults(system), measured["run"], TURNS),
        }
        shown = {
            "targets": [_json(target) for target in found],
            "bills": {name: [_json_line(line) for line in bill] for name, bill in bills.items()},
        }
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
    else:
        for target in found:
            limit = "" if target.limit is None else f"  {'met' if target.met else 'MISSED'} (< ${target.limit})"
            sys.stdout.write(f"{target.name:45} ${target.value:.6f}{limit}\n")
    return 0 if all(target.met for target in found) else 1


def _json(target: Target) -> dict[str, object]:
    limit = None if target.limit is None else float(target.limit)
    return {"name": target.name, "value": float(target.value), "unit": "USD", "target": limit, "met": target.met}


def _json_line(line: Line) -> dict[str, object]:
    return {"what": line.what, "unit": line.unit, "quantity": float(line.quantity), "usd": float(line.price)}
