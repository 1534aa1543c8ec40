"""Hypothesis profiles: ``pytest --hypothesis-profile long`` asks a thousand examples of each planted defect."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("long", max_examples=1000, deadline=None)
settings.register_profile("mutation", max_examples=3, deadline=None, derandomize=True)
