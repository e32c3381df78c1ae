"""What a run cost, in a line: what is settled, what is only estimated, what is not known."""

from discord_agent.domain import cloud
from discord_agent.domain.cloud import CloudUse
from discord_agent.domain.money import Cost, Usd


def brief(cost: Cost, use: CloudUse) -> str:
    """The sums: ``$0.1234 + ≈ $0.0100 + AWS ≈ $0.0021``."""
    return " + ".join((*_models(cost), *_aws(use)))


def parts(cost: Cost, use: CloudUse) -> str:
    """The sums, then what they are made of."""
    tokens = (
        ("input", cost.fresh_input),
        ("cached input", cost.cached_input),
        ("output", cost.output),
    )
    paid = [f"{name} {amount}" for name, amount in tokens if amount.amount]
    models = ", ".join(paid) if len(paid) > 1 else ""
    aws = f"AWS {use.gb_seconds:.1f} GB-s, {use.transitions} transitions, {use.storage_requests} storage requests"
    lost = f"≈ {cost.estimated} for calls without figures"
    detail = (models, lost if cost.estimated.amount else "", aws if use != CloudUse() else "")
    shown = "; ".join(part for part in detail if part)
    return f"{brief(cost, use)} ({shown})" if shown else brief(cost, use)


def _models(cost: Cost) -> tuple[str, ...]:
    settled = str(cost.known)
    has_figures = cost.known.amount or not (cost.partial or cost.estimated.amount)
    amounts = (
        (has_figures, settled),
        (cost.estimated.amount, f"≈ {cost.estimated}"),
        (cost.partial and not cost.estimated.amount, "unknown"),
    )
    return tuple(text for applies, text in amounts if applies)


def _aws(use: CloudUse) -> tuple[str, ...]:
    amount = cloud.cost_of(use)
    return (f"AWS ≈ {amount}",) if amount > Usd() else ()
