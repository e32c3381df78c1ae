"""Loads the interpreter without moto's batch service, which drags in all of EC2: 110 MB and a second for one enum."""

import enum
import importlib
import sys
import types
from typing import Final

import moto

from devstack.aws.errors import Unsupported

VERSION: Final = "5.2.5"
_STANDINS: Final = ("moto.batch", "moto.batch.utils")


class JobStatus(enum.StrEnum):
    """The two names the interpreter's batch integration looks at; that integration is not offered."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


def check_version(installed: str) -> None:
    """Unsupported when moto is not the version whose defects are mended."""
    if installed != VERSION:
        raise Unsupported(
            f"moto {installed} is installed, but the mends of its interpreter are made for {VERSION}:"
            f" install moto=={VERSION}, or check every module of devstack/aws/interpreter against the new version"
        )


def load() -> None:
    """Import the interpreter; Unsupported as in ``check_version``."""
    check_version(moto.__version__)
    standins = {} if "moto.batch.utils" in sys.modules else {name: types.ModuleType(name) for name in _STANDINS}
    for name, module in standins.items():
        module.__path__ = []
        module.JobStatus = JobStatus  # type: ignore[attr-defined] # a stand-in has what is looked up in it
        sys.modules[name] = module
    try:
        importlib.import_module("moto.stepfunctions.parser.asl.parse.asl_parser")
    finally:
        for name in standins:
            del sys.modules[name]
