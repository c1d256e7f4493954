"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("factbook", deadline=None)  # a loaded machine is no failure
settings.load_profile("factbook")
