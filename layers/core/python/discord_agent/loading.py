"""What surrounds the imports of a Lambda, which are nearly all of its start."""

import gc
import random
from collections.abc import Iterator
from contextlib import contextmanager

from snapshot_restore_py import register_after_restore


@contextmanager
def loading(*, models: bool = False) -> Iterator[None]:
    """Load modules without the garbage collector, and what asks ``models`` with them.

    It would look a hundred times at what is to stay, a tenth of the whole start. A copy of the process that starts from
    a snapshot draws random numbers of its own.
    """
    gc.disable()
    try:
        yield
        if models:
            from discord_agent.adapters.llm.client import load_litellm  # noqa: PLC0415 - half of the functions ask no model

            load_litellm()
    finally:
        gc.enable()
    gc.freeze()
    register_after_restore(random.seed)
