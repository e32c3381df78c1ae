"""Settings of all tests."""

from hypothesis import settings

settings.register_profile("default", deadline=None)  # no timing decides a test
settings.load_profile("default")
