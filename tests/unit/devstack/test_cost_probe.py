"""What functions took is read from their logs."""

import json

from deployment.measured import Taken
from devstack.cost_probe import told


def record(message: str, **fields: object) -> str:
    return json.dumps({"level": "INFO", "message": message, **fields})


def test_every_line_that_tells_of_use_counts_wherever_it_stands() -> None:
    lines = [
        "START RequestId: 1 Version: $LATEST",
        # The runtime's own framing is lost here: its records follow each other without a line break.
        record("step") + record("took", aws_table_reads=2, aws_messages=1),
        "END RequestId: 1",
        "REPORT RequestId: 1\tDuration: 1.00 ms",
        record("took", aws_table_reads=1, aws_object_writes=4, aws_mb_ms=1024),
        "REPORT RequestId: 2\tDuration: 1.00 ms",
    ]
    assert told(lines) == Taken(
        invocations=2,
        table_reads=3,
        table_writes=0,
        object_reads=0,
        object_writes=4,
        messages=1,
        log_bytes=sum(len(line) + 1 for line in lines),
    )


def test_what_somebody_else_says_is_no_use() -> None:
    assert told([record("spoke", aws_table_reads=9), "took everything"]).table_reads == 0
