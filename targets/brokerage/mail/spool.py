"""The spool as files: a notice is a file, whole or not there, under a name that no other sending of a notice has."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

SUFFIX = ".json"


def name_of(exec_id: str, attempt: int) -> str:
    """The file's name; a notice that is sent anew has another one."""
    return f"{exec_id}{SUFFIX}" if attempt == 1 else f"{exec_id}.{attempt}{SUFFIX}"


def waiting(folder: Path) -> list[Path]:
    """The notices in a folder; OSError when it cannot be read."""
    return [Path(each.path) for each in os.scandir(folder) if each.name.endswith(SUFFIX) and each.name[0] != "."]


def write_notice(folder: Path, name: str, body: Mapping[str, Any]) -> bool:
    """Put a notice into the spool; False when it is there already. OSError: the volume is full …"""
    final, aside = folder / name, folder / f".{name}"
    if final.exists():
        return False
    try:
        aside.write_bytes(msgspec.json.encode(body))
        aside.rename(final)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
    return True
