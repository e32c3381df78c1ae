"""How a call in the background tells the thread that waits for it how far it is."""

import threading


class Mailbox:
    """Holds the newest text; one that nobody took before the next came is dropped, so a slow reader holds nothing up."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._text: str | None = None
        self._closed = False

    def put(self, text: str) -> None:
        """Leave a text."""
        with self._changed:
            self._text = text
            self._changed.notify()

    def close(self) -> None:
        """Nothing more will come."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def take(self, timeout: float) -> tuple[str | None, bool]:
        """The newest text that was not taken yet, waiting for it for ``timeout`` seconds, and whether it is the last."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._text is not None, timeout)
            text, self._text = self._text, None
            return text, self._closed
