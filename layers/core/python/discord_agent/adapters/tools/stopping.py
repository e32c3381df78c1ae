"""The stop marker of an execution, which a running command in the sandbox looks for."""

from typing import TYPE_CHECKING

from discord_agent.adapters.workspace.layout import control_key
from discord_agent.domain.ids import ExecutionId, ThreadId

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class StopMarkers:
    """Stop markers in the bucket."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def stop(self, thread: ThreadId, execution: ExecutionId) -> None:
        """Leave the stop marker, which a running command notices within a second."""
        self._s3.put_object(Bucket=self._bucket, Key=control_key(thread, execution), Body=b"")
