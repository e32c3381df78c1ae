"""The composition root: one function per Lambda, each building its step from settings and the real adapters."""
