"""A refusal in the words of the service that refuses, so that a client raises what it raises on AWS."""

import json
import uuid
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from devstack.aws.access.door import UNKNOWN_KEY, Refused

_XML: Final = "text/xml"
_JSON: Final = "application/x-amz-json-1.0"
_JSON_CODES: Final = {"AccessDenied": "AccessDeniedException", UNKNOWN_KEY: "UnrecognizedClientException"}
_QUERY: Final = frozenset({"sts", "iam", "sns", "cloudformation"})


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes


def answer(service: str, refusal: Refused) -> Answer:
    """The refusal in the service's protocol."""
    request_id = str(uuid.uuid4())
    if service == "s3":
        # A HEAD request is answered by the status alone.
        code = "InvalidAccessKeyId" if refusal.code == UNKNOWN_KEY else refusal.code
        body = f"<Error><Code>{code}</Code><Message>{escape(str(refusal))}</Message><RequestId>{request_id}</RequestId></Error>"
        return Answer(403, {"Content-Type": "application/xml", "x-amz-request-id": request_id}, body.encode())
    if service in _QUERY:
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{refusal.code}</Code>"
            f"<Message>{escape(str(refusal))}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return Answer(403, {"Content-Type": _XML, "x-amzn-RequestId": request_id}, body.encode())
    code = _JSON_CODES[refusal.code]
    headers = {"Content-Type": _JSON, "x-amzn-RequestId": request_id, "x-amzn-ErrorType": code}
    if service == "lambda":
        return Answer(403, headers, json.dumps({"Type": "User", "Message": str(refusal)}).encode())
    return Answer(400, headers, json.dumps({"__type": code, "message": str(refusal)}).encode())
