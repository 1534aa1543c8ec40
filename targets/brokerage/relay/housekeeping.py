"""Keeping the log's volume as full as it is meant to be: pack older files, and ship the oldest ones off it.

Of the transaction log alone: what others put on the volume, a debug log or a copy, is theirs to take away.
"""

from __future__ import annotations

from pathlib import Path

from targets.brokerage.relay.lines import CURRENT, put_aside
from targets.brokerage.volumes.files import PACKED, move_off, pack

ARCHIVE = "archive"
"""In the relay's own folder, off the volume."""
KEPT_PLAIN, KEPT_PACKED = 3, 5


def tidy(folder: Path, archive: Path) -> None:
    """So many plain files stay, and so many packed ones. OSError: what could be done is done.

    Shipping comes first, for it needs no room; and again for what was packed.
    """
    move_off(_older(folder, PACKED, KEPT_PACKED), archive)
    for file in _older(folder, "", KEPT_PLAIN):
        pack(file)
    move_off(_older(folder, PACKED, KEPT_PACKED), archive)


def _older(folder: Path, ending: str, kept: int) -> list[Path]:
    """All but the newest; the names have the numbers of their last lines."""
    return sorted(folder.glob(put_aside(CURRENT, "[0-9]" * 8) + ending))[:-kept]
