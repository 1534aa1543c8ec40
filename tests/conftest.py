"""Hypothesis profiles: ``pytest --hypothesis-profile long`` asks a thousand examples of each planted defect."""

from __future__ import annotations

import os

from hypothesis import settings

# The tests' own connections; what the product makes of such variables has tests that set them.
for name in [name for name in os.environ if name.startswith("PG") or name.upper().endswith("_PROXY")]:
    del os.environ[name]

settings.register_profile("long", max_examples=1000, deadline=None)
settings.register_profile("mutation", max_examples=3, deadline=None, derandomize=True)
