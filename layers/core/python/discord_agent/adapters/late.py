"""What is made when it is first used: a client costs a start as much as many modules do."""

import threading
from collections.abc import Callable
from typing import Any, Final, cast

_MAKING: Final = threading.RLock()
"""One at a time: boto3's sessions make no two clients at once, and threads share what is made."""


class _Late:
    """Stands for what ``make`` gives, and has it made when something is first asked of it."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> Any:
        """What it has of this name."""
        if "_made" not in self.__dict__:
            with _MAKING:
                if "_made" not in self.__dict__:
                    self._made = self._make()
        return getattr(self._made, name)


def late[Made](make: Callable[[], Made]) -> Made:
    """What ``make`` gives, made when something is first asked of it."""
    return cast("Made", _Late(make))
