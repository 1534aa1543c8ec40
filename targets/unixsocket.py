"""Unix sockets in folders that lie deep: the path of one may have 107 bytes only."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def short_path(folder: Path, name: str) -> Iterator[str]:
    """Inside, a path to ``folder/name`` that is short enough to bind or to connect to. OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}/{name}"
    finally:
        os.close(handle)
