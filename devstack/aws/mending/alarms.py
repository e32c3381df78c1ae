"""CloudWatch: the query protocol describes alarms with all they were made of, as the other protocols do."""

import json
from collections.abc import Mapping
from typing import Any, Final
from xml.sax.saxutils import escape

from ministack.services import cloudwatch

type Parameters = Mapping[str, Any]
type Response = Any

_FILTERS: Final = ("AlarmNamePrefix", "StateValue", "MaxRecords", "NextToken")
_MOST_NAMES: Final = 100
_ERRORS: Final = 400
_describe_alarms = cloudwatch._describe_alarms  # noqa: SLF001 (no public way)


def mend() -> None:
    """Answer DescribeAlarms in full."""
    cloudwatch._describe_alarms = _describe_in_full  # noqa: SLF001 (no public way)


def _describe_in_full(params: Parameters, body: Parameters, is_cbor: bool, is_json: bool = False) -> Response:  # noqa: FBT001, FBT002 (its signature)
    if is_cbor or is_json:
        return _describe_alarms(params, body, is_cbor, is_json)
    status, _, answer = _describe_alarms(params, _asked(params), is_cbor=False, is_json=True)
    if status >= _ERRORS:
        return _describe_alarms(params, body, is_cbor, is_json)
    xml = "".join(_element(name, value) for name, value in json.loads(answer).items())
    return cloudwatch._xml(200, "DescribeAlarmsResponse", f"<DescribeAlarmsResult>{xml}</DescribeAlarmsResult>")  # noqa: SLF001 (no public way)


def _asked(params: Parameters) -> dict[str, Any]:
    def value(name: str) -> str:
        return str(cloudwatch._p(params, name) or "")  # noqa: SLF001 (no public way)

    def values(name: str) -> list[str]:
        return [text for place in range(1, _MOST_NAMES + 1) if (text := value(f"{name}.member.{place}"))]

    asked: dict[str, Any] = {name: values(name) for name in ("AlarmNames", "AlarmTypes") if values(name)}
    return asked | {name: value(name) for name in _FILTERS if value(name)}


def _element(name: str, value: object) -> str:
    if value is None:
        return ""
    if name.endswith("Timestamp") and isinstance(value, int | float):
        value = cloudwatch._ts_iso(value)  # noqa: SLF001 (no public way)
    return f"<{name}>{_contents(value)}</{name}>"


def _contents(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case dict():
            return "".join(_element(name, each) for name, each in value.items())
        case list():
            return "".join(_element("member", each) for each in value)
        case _:
            return escape(str(value))
