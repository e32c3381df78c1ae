"""Which operation a signed HTTP request asks for, and who says that he signed it.

Nothing here checks a signature: an access key id is a name. The service is the one that the signature is for.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree as ET

from deployment.iam.operations import Call, UnmappedOperation

_CREDENTIAL: Final = re.compile(r"Credential=([^/,\s]+)/\d{8}/[^/]+/([^/]+)/aws4_request")
_INVOKE: Final = re.compile(r"/2015-03-31/functions/([^/]+)/invocations\Z")
_IAM_NAMES: Final = {"monitoring": "cloudwatch"}
"""Services that IAM calls otherwise than their signatures do."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Who asks which service, in IAM's word for it."""

    key_id: str
    service: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A request; header names are in lower case, ``target`` is path and query as sent."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""


def signature(headers: Mapping[str, str], target: str) -> Signature | None:
    """What the Authorization header says, or the query of a presigned URL; None for a request without either."""
    text = headers.get("authorization", "")
    if not text and "X-Amz-Credential" in target:
        text = "Credential=" + parse_qs(urlsplit(target).query)["X-Amz-Credential"][0]
    found = _CREDENTIAL.search(text)
    if found is None:
        return None
    return Signature(found[1], _IAM_NAMES.get(found[2], found[2]))


def needs_body(service: str, method: str, target: str) -> bool:
    """Whether the operation cannot be told without the body; of S3 only the list of what to delete."""
    return service != "s3" or (method == "POST" and _has_sub_resource(target, "delete"))


def call_of(service: str, sent: Sent) -> Call:
    """The operation and its parameters; UnmappedOperation when it cannot be told."""
    match service:
        case "s3":
            return _s3(sent)
        case "lambda":
            return _lambda(sent)
    if named := sent.headers.get("x-amz-target"):
        return Call(f"{service}:{named.rpartition('.')[2]}", json.loads(sent.body or b"{}"))
    form = {name: values[0] for name, values in parse_qs(sent.body.decode(errors="replace")).items()}
    if "Action" in form:
        return Call(f"{service}:{form['Action']}", form)
    raise UnmappedOperation(f"{service}: {sent.method} {sent.target} names no operation that is known here")


def _lambda(sent: Sent) -> Call:
    parts = urlsplit(sent.target)
    found = _INVOKE.match(parts.path)
    if found is None or sent.method != "POST":
        raise UnmappedOperation(f"lambda: {sent.method} {parts.path} names no operation that is known here")
    qualifier = parse_qs(parts.query).get("Qualifier", [""])[0]
    return Call("lambda:Invoke", {"FunctionName": unquote(found[1]), "Qualifier": qualifier})


_S3_HEADERS: Final = {
    "if-none-match": "IfNoneMatch",
    "if-match": "IfMatch",
    "x-amz-tagging": "Tagging",
    "x-amz-acl": "ACL",
    "x-amz-copy-source": "CopySource",
}
_S3_QUERY: Final = {"prefix": "Prefix", "versionId": "VersionId"}
_S3_NO_SUB_RESOURCE: Final = frozenset(
    {"prefix", "versionId", "list-type", "delimiter", "max-keys", "continuation-token", "start-after", "encoding-type"}
    | {"fetch-owner", "marker", "key-marker", "version-id-marker", "x-id", "partNumber"}
)
"""Parameters that leave the operation what it is; presigned URLs have others, which begin with X-Amz-."""
_S3_OPERATIONS: Final = {
    ("GET", "bucket", ""): "ListObjectsV2",
    ("GET", "bucket", "versions"): "ListObjectVersions",
    ("HEAD", "bucket", ""): "HeadBucket",
    ("POST", "bucket", "delete"): "DeleteObjects",
    ("GET", "object", ""): "GetObject",
    ("HEAD", "object", ""): "HeadObject",
    ("PUT", "object", ""): "PutObject",
    ("DELETE", "object", ""): "DeleteObject",
    ("POST", "object", "uploads"): "CreateMultipartUpload",
    ("PUT", "object", "uploadId"): "UploadPart",
    ("POST", "object", "uploadId"): "CompleteMultipartUpload",
    ("DELETE", "object", "uploadId"): "AbortMultipartUpload",
}


def _s3(sent: Sent) -> Call:
    parts = urlsplit(sent.target)
    bucket, _, key = unquote(parts.path).removeprefix("/").partition("/")
    query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    sub_resources = [name for name in query if name not in _S3_NO_SUB_RESOURCE and not name.startswith("X-Amz-")]
    level = "object" if key else "bucket"
    operation = _S3_OPERATIONS.get((sent.method, level, ",".join(sub_resources)))
    if operation is None or not bucket:
        raise UnmappedOperation(f"s3: {sent.method} {sent.target} names no operation that is known here")
    given: dict[str, Any] = {"Bucket": bucket, "Key": key}
    given |= {name: sent.headers[header] for header, name in _S3_HEADERS.items() if header in sent.headers}
    given |= {name: query[parameter] for parameter, name in _S3_QUERY.items() if parameter in query}
    if operation == "DeleteObjects":
        given["Delete"] = {"Objects": _to_delete(sent.body)}
    return Call(f"s3:{operation}", given)


def _to_delete(body: bytes) -> list[dict[str, str]]:
    listed = ET.fromstring(body)  # noqa: S314 (sent by our own functions; ministack reads it with defusedxml)
    return [
        {child.tag.rpartition("}")[2]: child.text or "" for child in each}
        for each in listed
        if each.tag.rpartition("}")[2] == "Object"
    ]


def _has_sub_resource(target: str, name: str) -> bool:
    return name in parse_qs(urlsplit(target).query, keep_blank_values=True)
