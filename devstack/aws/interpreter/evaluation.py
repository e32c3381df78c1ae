"""JSONata expressions with the functions that Step Functions adds; each expression is compiled once."""

import copy
import functools
import hashlib
import json
import random
import uuid
from collections.abc import Mapping
from typing import Any, Final

from jsonata import Jsonata

_DIGESTS: Final = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


class EvaluationFailed(Exception):
    """The expression does not compile, fails, or gives nothing."""


def evaluate(expression: str, bindings: Mapping[str, Any]) -> Any:
    """The expression's value as plain JSON data; EvaluationFailed."""
    try:
        # Evaluation keeps state in the compiled object: each thread needs its own.
        compiled = copy.copy(_compile(expression))
        Jsonata.CURRENT.jsonata = compiled
        value = compiled.evaluate(None, {**_functions(), **bindings})
    except Exception as error:
        raise EvaluationFailed(str(error)) from error
    if value is None:
        raise EvaluationFailed(f"the JSONata expression '{expression}' returned nothing (undefined)")
    try:
        return json.loads(json.dumps(value, default=_plain))
    except (TypeError, ValueError) as error:
        raise EvaluationFailed(f"the JSONata expression '{expression}' returned no JSON value") from error


@functools.lru_cache(maxsize=2048)
def _compile(expression: str) -> Jsonata:
    compiled = Jsonata(expression)
    # Tells a null in the data from no value at all.
    compiled.set_output_convert_nulls(False)
    return compiled


def _plain(value: object) -> None:
    if type(value).__name__ == "NullValue":
        return
    raise TypeError(f"{type(value).__name__} is no JSON value")


@functools.cache
def _functions() -> Mapping[str, object]:
    """The functions that Step Functions adds to JSONata."""
    return {
        name: Jsonata.JLambda(function)
        for name, function in {
            "partition": _partition,
            "range": _range,
            "hash": _hash,
            "random": _random,
            "uuid": lambda: str(uuid.uuid4()),
            "parse": json.loads,
        }.items()
    }


def _partition(items: list[Any], size: float) -> list[list[Any]]:
    return [items[start : start + int(size)] for start in range(0, len(items), int(size))]


def _range(first: float, last: float, step: float) -> list[float]:
    count = int((last - first) // step) + 1 if step else 0
    return [first + step * index for index in range(max(count, 0))]


def _hash(text: str, algorithm: str) -> str:
    return hashlib.new(_DIGESTS[algorithm], text.encode()).hexdigest()


def _random(seed: float | None = None) -> float:
    return random.random() if seed is None else random.Random(seed).random()  # noqa: S311 (no secret is made of it)
