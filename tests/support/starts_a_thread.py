"""A library that starts a thread when it is imported, which no template may hold."""

import threading

threading.Thread(target=threading.Event().wait, daemon=True).start()
