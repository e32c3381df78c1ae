"""What the system costs, as tables."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from deployment import costs
from deployment.costs import Bill, Line, charged, defaults, idle_month, listed, request, turn
from deployment.documentation.tables import table
from deployment.measured import TURNS, Measured
from discord_agent.declaration import Package, System
from discord_agent.domain.list_prices import FREE, PRICES, Unit
from discord_agent.domain.measures import MEASURES

_CHOICES: Final = {
    "architecture=x86_64": {"architecture": "x86_64"},
    "snap_start=true": {"snap_start": "true"},
    "customer_managed_key=true": {"customer_managed_key": "true"},
    "bridge=false": {"bridge": "false"},
}


def summary(system: System, measured: Mapping[str, Measured]) -> str:
    """The figures people ask for first, each with what it was meant to be at most."""
    targets = {target.name: target for target in costs.targets(system, measured)}
    rows = [
        (name, _dollars(target.value), "" if target.limit is None else f"< ${target.limit}")
        for name, target in targets.items()
    ]
    return table(("with the default settings", "US dollars", "target"), rows)


def idle(system: System) -> str:
    """The month in which nobody says anything, thing by thing."""
    return _bill(idle_month(system, defaults(system)), monthly=True)


def question(system: System, measured: Mapping[str, Measured]) -> str:
    """A question that one completion answers."""
    return _bill(request(system, defaults(system), measured["question"]), monthly=False)


def run(system: System, measured: Mapping[str, Measured]) -> str:
    """The run of many turns, to the merge."""
    return _bill(request(system, defaults(system), measured["run"], TURNS), monthly=False)


def choices(system: System, measured: Mapping[str, Measured]) -> str:
    """What other settings make of it."""
    rows = []
    for name, chosen in {"defaults": {}, **_CHOICES}.items():
        settings = defaults(system, **chosen)
        month = idle_month(system, settings)
        rows.append(
            (
                f"`{name}`",
                _dollars(charged(month)),
                _dollars(listed(month)),
                _dollars(listed(request(system, settings, measured["question"]))),
                _dollars(turn(system, settings, measured["run"])),
            )
        )
    return table(("settings", "idle month", "the same without free allowances", "question", "turn"), rows)


def at_work() -> str:
    """What the system's own metrics add in a month in every hour of which it works."""
    metrics = sum(len(measure.values) or 1 for measure in MEASURES)
    bill = (Line("", Unit.METRIC, Decimal(metrics)),)
    return (
        f"While the bot works, its own {metrics} metrics count too, by the hour in which they are sent: in a month without an hour of rest "
        f"${_dollars(listed(bill))}, after free allowances ${_dollars(charged(bill))}."
    )


def assumptions() -> str:
    """What is taken for granted."""
    starts = ", ".join(f"{costs.START_SECONDS[package]} s ({package})" for package in Package)
    images = ", ".join(f"{name} {size} GB" for name, size in costs.IMAGES_GB.items())
    rows = (
        (
            "connections of an event source that wait on an empty queue",
            f"{costs.POLLERS}, each asks every {costs.QUEUE_POLL_SECONDS} s",
        ),
        ("a request to AWS takes", f"{costs.REQUEST_SECONDS} s"),
        ("an invocation takes besides", f"{costs.STEP_SECONDS} s"),
        ("a model's reply outside of turns", f"{costs.REPLY_SECONDS} s"),
        ("the first call of a function, which every request is taken to make", starts),
        ("compressed images", images),
        ("what the bridge logs with each report", f"{costs.REPORT_BYTES} bytes"),
    )
    return table(("what", "how much"), rows)


def allowances() -> str:
    """What every account has free in every month."""
    rows = ((", ".join(sorted(units)), f"{allowance:,}") for units, allowance in FREE)
    return table(("what", "free in a month"), rows)


def _bill(bill: Bill, *, monthly: bool) -> str:
    rows = [
        (line.what, str(line.unit), _number(line.quantity), _number(PRICES[line.unit]), _dollars(line.price))
        for line in bill
    ]
    rows.append(("**together**", "", "", "", f"**{_dollars(listed(bill))}**"))
    if monthly:
        rows.append(("**after free allowances**", "", "", "", f"**{_dollars(charged(bill))}**"))
    return table(("what", "charged by", "how many", "price of one", "dollars"), rows)


def _dollars(amount: Decimal) -> str:
    return f"{amount:.2f}" if amount >= 1 else f"{amount:.6f}".rstrip("0").rstrip(".") or "0"


def _number(number: Decimal) -> str:
    if number == number.to_integral_value():
        return f"{int(number):,}"
    return f"{number:,.2f}" if number >= 1 else f"{number:.10f}".rstrip("0")
