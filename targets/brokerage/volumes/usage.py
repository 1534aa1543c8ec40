"""How full a volume is: as its file system says, and what is held open in it although it was deleted."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK = 512
"""``st_blocks`` counts in these, whatever the file system."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes and inodes of a volume, in all and free."""

    size: int
    free: int
    inodes: int
    inodes_free: int

    @property
    def bytes_used(self) -> float:
        """Share of the bytes that is taken."""
        return 1 - self.free / self.size if self.size else 0.0

    @property
    def inodes_used(self) -> float:
        """Share of the inodes that is taken."""
        return 1 - self.inodes_free / self.inodes if self.inodes else 0.0


@dataclass(frozen=True, slots=True)
class Deleted:
    """A file that has no name any more, and takes its ``bytes`` until whoever holds it open lets go."""

    name: str
    bytes: int


def is_limited(folder: Path) -> bool:
    """Whether the folder lies on a volume of its own; on an ordinary one its figures would be those of the disk."""
    return folder.stat().st_dev != folder.parent.stat().st_dev


def usage(folder: Path) -> Usage:
    """As of now; OSError."""
    said = os.statvfs(folder)
    return Usage(said.f_blocks * said.f_frsize, said.f_bavail * said.f_frsize, said.f_files, said.f_favail)


def files(folder: Path) -> dict[str, int]:
    """Name -> bytes that it takes, of all files right in the folder."""
    found = {}
    for each in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # gone meanwhile
            found[each.name] = each.lstat().st_blocks * BLOCK
    return found


def written(folder: Path) -> int:
    """Bytes that are in its files, to the byte: the file system counts in blocks, too coarse for a slope of seconds."""
    total = 0
    for each in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            total += each.lstat().st_size
    return total


def deleted(folder: Path) -> list[Deleted]:
    """What this process holds open in the folder although its name is gone."""
    return list(_deleted(folder))


def _deleted(folder: Path) -> Iterator[Deleted]:
    device = folder.stat().st_dev
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError, ValueError):
            seen = os.fstat(int(number))
            if seen.st_dev == device and not seen.st_nlink and (name := _name(number, folder)):
                yield Deleted(name, seen.st_blocks * BLOCK)


def _name(number: str, folder: Path) -> str | None:
    """What it was called while it lay in the folder; None for one that did not."""
    path = Path(os.readlink(f"/proc/self/fd/{number}").removesuffix(" (deleted)"))
    return path.name if path.parent == folder else None
