"""ECS: services say whether they are spread anew over zones, which is off unless it was asked for."""

from collections.abc import Mapping
from typing import Any, Final

from ministack.services import ecs

_REBALANCING: Final = "availabilityZoneRebalancing"
_create_service = ecs._create_service  # noqa: SLF001 (no public way)
_update_service = ecs._update_service  # noqa: SLF001 (no public way)


def mend() -> None:
    """Keep what was asked for."""
    ecs._create_service = _create  # noqa: SLF001 (no public way)
    ecs._update_service = _update  # noqa: SLF001 (no public way)
    ecs._ACTION_MAP |= {"CreateService": _create, "UpdateService": _update}  # noqa: SLF001 (no public way)


def _create(data: Mapping[str, Any]) -> Any:
    response = _create_service(data)
    _keep(data, data.get("serviceName", ""), "DISABLED")
    return response


def _update(data: Mapping[str, Any]) -> Any:
    response = _update_service(data)
    _keep(data, data.get("service", ""), None)
    return response


def _keep(data: Mapping[str, Any], service: str, default: str | None) -> None:
    cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))  # noqa: SLF001 (no public way)
    kept = ecs._services.get(f"{cluster}/{service.rpartition('/')[2]}")  # noqa: SLF001 (no public way)
    chosen = data.get(_REBALANCING, default)
    if kept is not None and chosen is not None:
        kept[_REBALANCING] = chosen
