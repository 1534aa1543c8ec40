"""Where targets live while they run, and what they keep between runs."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """``KUNREN_CACHE``, else ``~/.cache/kunren``: the only place outside the runs' that is written to. Absolute."""
    named = os.environ.get("KUNREN_CACHE")
    found = Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "kunren"
    return found.resolve()
