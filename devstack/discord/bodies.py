"""Request bodies: JSON, or multipart with ``payload_json`` and ``files[n]``, within the size limit."""

import json
import re
from collections.abc import AsyncGenerator
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from devstack.discord.drafts import UploadedFile
from devstack.discord.errors import ApiError, invalid_form, too_large

_FILE_FIELD = re.compile(r"files?\[([0-9]{1,2})\]")
_MAX_FILES = 10


async def read_body(request: Request, limit: int) -> tuple[Any, tuple[UploadedFile, ...]]:
    """The JSON part and the files of a request; ApiError 40005 if it is too large, 50035 or 50109 if malformed."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _read_multipart(request, limit)
    raw = b"".join([chunk async for chunk in _capped(request, limit)])
    if not raw:
        return {}, ()
    if kind != "application/json":
        raise invalid_form(
            "_misc",
            "CONTENT_TYPE_INVALID",
            'Expected "Content-Type" header to be one of "application/json", "multipart/form-data".',
        )
    return _parse(raw), ()


def _parse(raw: bytes | str) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        raise ApiError(400, 50109, "The request body contains invalid JSON.") from None


async def _capped(request: Request, limit: int) -> AsyncGenerator[bytes]:
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > limit:
            raise too_large()
        yield chunk


async def _read_multipart(request: Request, limit: int) -> tuple[Any, tuple[UploadedFile, ...]]:
    parser = MultiPartParser(
        request.headers, _capped(request, limit), max_files=_MAX_FILES, max_fields=_MAX_FILES, max_part_size=limit
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError) as fault:
        raise invalid_form("_misc", "MULTIPART_INVALID", str(fault)) from fault
    try:
        payload = form.get("payload_json")
        body = _parse(payload) if isinstance(payload, str) else _plain_fields(form)
        return body, await _files(form)
    finally:
        await form.close()


def _plain_fields(form: FormData) -> dict[str, str]:
    return {name: value for name, value in form.multi_items() if isinstance(value, str)}


async def _files(form: FormData) -> tuple[UploadedFile, ...]:
    found = []
    for position, (name, value) in enumerate(form.multi_items()):
        if isinstance(value, UploadFile):
            match = _FILE_FIELD.fullmatch(name)
            index = int(match[1]) if match else position
            content = await value.read()
            found.append(UploadedFile(index, value.filename or "file", value.content_type or "", content))
    return tuple(found)
