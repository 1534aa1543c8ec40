"""The inventory of certificates, a file that operators keep: which names there are, and when their chains end.

``edge/inventory.json``: name -> fingerprint of the leaf and the chain's earliest end, as they were when it was entered.
A name that nobody has entered is in no list and in no alert that goes by it.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path

import msgspec

from targets.brokerage.edge.certificates import FOLDER, Shown, write

FILE = "inventory.json"


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was entered of a name: SHA-256 of the leaf (hex), and when the chain ends, UTC."""

    fingerprint: str
    ends: datetime.datetime

    def seconds_left(self, now: datetime.datetime) -> float:
        """Until then."""
        return (self.ends - now).total_seconds()


def read(stack: Path) -> Mapping[str, Entry]:
    """Name -> what was entered; OSError, ValueError (msgspec's) where it cannot be read."""
    try:
        return msgspec.json.decode((stack / FOLDER / FILE).read_bytes(), type=dict[str, Entry])
    except FileNotFoundError:
        return {}


def add(stack: Path, name: str, shown: Shown) -> None:
    """Enter a name, or enter it anew."""
    entries = {**read(stack), name: Entry(shown.fingerprint, shown.ends)}
    write(stack / FOLDER / FILE, msgspec.json.format(msgspec.json.encode(entries), indent=2) + b"\n")
