"""A function that does what its event says, for tests of what runs functions."""

import gc
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

calls = 0


def handler(event: Any, context: Any) -> Any:
    global calls  # noqa: PLW0603 (shows whether an environment is used again)
    calls += 1
    if "Records" in event:
        return _consume(event["Records"])
    if event.get("source") == "aws.states":
        _record(event)
        return None
    return _ACTIONS[event["do"]](event, context)


def _consume(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Bodies are JSON: ``fail`` fails the message, ``crash`` the batch."""
    failed = []
    for record in records:
        body = json.loads(record["body"])
        if body.get("crash"):
            raise RuntimeError("told to crash")
        _record({"body": body, "receives": record["attributes"]["ApproximateReceiveCount"], "batch": len(records)})
        if body.get("fail"):
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def _record(entry: object) -> None:
    with Path(os.environ["RECORDS"]).open("a", encoding="utf-8") as records:  # noqa: TID251 (a test's function)
        records.write(json.dumps(entry) + "\n")


def _raise(event: Any, _: Any) -> None:
    raise type(event["error"], (Exception,), {})(event.get("message", "told to"))


def _fail_at_first(event: Any, _: Any) -> Any:
    """Raises ``error`` until it was called ``times`` times for ``name``."""
    counter = Path(os.environ["RECORDS"] + event["name"])  # noqa: TID251 (a test's function)
    count = int(counter.read_text(encoding="utf-8")) + 1 if counter.exists() else 1
    counter.write_text(str(count), encoding="utf-8")
    if count <= event["times"]:
        _raise(event, None)
    return count


def _answer(event: Any, _: Any) -> None:
    """Answers its task's token itself, before it returns."""
    states = boto3.client("stepfunctions")
    for answer in event["answers"]:
        match answer["kind"]:
            case "success":
                states.send_task_success(taskToken=event["token"], output=json.dumps(answer["output"]))
            case "failure":
                states.send_task_failure(taskToken=event["token"], error=answer["error"], cause=answer["cause"])
            case "heartbeat":
                states.send_task_heartbeat(taskToken=event["token"])
        time.sleep(answer.get("then", 0))


def _aws(event: Any, _: Any) -> Any:
    """Calls an operation of AWS; the code of its error, "" without one."""
    try:
        getattr(boto3.client(event["service"]), event["operation"])(**event["parameters"])
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ""


def _sleep(event: Any, _: Any) -> Any:
    _record({"sleeps": event.get("name")})
    time.sleep(event["seconds"])
    return event.get("result")


def _spawn(event: Any, _: Any) -> int:
    return subprocess.Popen(["/bin/sleep", str(event["seconds"])]).pid


def _context(_: Any, context: Any) -> dict[str, Any]:
    return {
        "name": context.function_name,
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "tenant": context.tenant_id,
        "remaining": context.get_remaining_time_in_millis(),
        "id": context.aws_request_id,
    }


def _print(event: Any, _: Any) -> None:
    print(event["text"])  # noqa: T201 (the test looks for it in the log)


def _interpreter(*_: Any) -> dict[str, Any]:
    """What a process could have from where it comes from."""
    descriptors = [str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.exists()]
    return {
        "modules": sorted(sys.modules),
        "path": sys.path,
        "folder": str(Path.cwd()),
        "temporary": tempfile.gettempdir(),
        "random": random.random(),  # noqa: S311 (shown, not used)
        "connections": [each for each in descriptors if each.startswith(("socket:", "pipe:"))],
        "collecting": gc.isenabled(),
        "zone": time.tzname[0],
    }


def _set(event: Any, _: Any) -> None:
    os.environ[event["name"]] = event["value"]  # noqa: TID251 (a test's function)


_ACTIONS = {
    "echo": lambda event, _: event.get("value"),
    "raise": _raise,
    "fail_at_first": _fail_at_first,
    "answer": _answer,
    "aws": _aws,
    "park": lambda event, _: _record({"token": event["token"]}),
    "sleep": _sleep,
    "spawn": _spawn,
    "blob": lambda event, _: "x" * event["size"],
    "environment": lambda *_: dict(os.environ),  # noqa: TID251 (shows it to the test)
    "context": _context,
    "calls": lambda *_: {"calls": calls, "pid": os.getpid()},
    "exit": lambda event, _: os._exit(event["code"]),
    "kill": lambda *_: os.kill(os.getpid(), signal.SIGKILL),
    "print": _print,
    "interpreter": _interpreter,
    "set": _set,
    "odd": lambda *_: object(),
}
