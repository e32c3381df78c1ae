"""Brings moto's interpreter in line with the language's specification, once per process.

Each module of this package mends one concern of exactly one version; tests/integration/devstack/aws observe every
mend through boto3.
"""

import functools
import importlib
import logging
from typing import Final

from devstack.aws.interpreter import lean_import

_MENDS: Final = ("interruption", "timing", "attempts", "callbacks", "errors", "expressions", "integrations", "sizes")


@functools.cache
def mend_interpreter() -> None:
    """Load and mend; Unsupported when moto is of another version."""
    lean_import.load()
    # It logs every failed state with the whole definition; failures are in the history, and elsewhere with less.
    logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)
    # The modules import moto's, so they can only be imported after it.
    for name in _MENDS:
        importlib.import_module(f"devstack.aws.interpreter.{name}").mend()
