"""Figures as CloudWatch's embedded metric format: log lines that CloudWatch makes metrics of, made by Powertools."""

import json
import sys
from collections.abc import Callable

from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider
from msgspec import Struct

from discord_agent.adapters.logging import SERVICE, correlation
from discord_agent.domain.measures import NAMESPACE, Measure
from discord_agent.ports import Clock


def _write(line: str) -> None:
    # One write per line: threads share the stream, and a container's is buffered.
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class EmfMetrics(Struct, frozen=True):
    """Writes each figure at once: what a process that dies had measured is not lost with it.

    A line carries the fields that log lines carry just now, such as ``execution_id``, which are no dimensions.
    """

    clock: Clock
    write: Callable[[str], object] = _write

    def record(self, measure: Measure, value: float = 1, *, of: str = "") -> None:
        """Write one figure."""
        emf = AmazonCloudWatchEMFProvider(
            namespace=NAMESPACE,
            dimension_set={"service": SERVICE, **measure.dimensions(of)},
            metadata_set=correlation(),
        )
        emf.set_timestamp(self.clock.now())
        emf.add_metric(measure.name, measure.unit.value, value)
        self.write(json.dumps(emf.serialize_metric_set()))
