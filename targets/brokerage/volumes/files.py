"""What operators do to the files of a volume: plain things with their plain consequences. OSError where one fails."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path

COPY = "copy-"
"""Files that somebody has made to look into; what begins so is nobody's only copy."""
PACKED = ".gz"
SUMS = "SHA256SUMS"
PIECE = 64
"""Lines of a piece."""


class NoSuchFile(Exception):
    """A name that no file of the volume has; the message has those that there are."""


def chosen(folder: Path, names: Iterable[str]) -> list[Path]:
    """The files with these names, or that these patterns match, each once; NoSuchFile."""
    there = sorted(each.name for each in folder.iterdir() if each.is_file())
    found: dict[str, None] = {}
    for wanted in names:
        matching = [name for name in there if fnmatchcase(name, wanted)]
        if not matching:
            raise NoSuchFile(f"no file {wanted}; there are: {', '.join(there) or 'none'}")
        found |= dict.fromkeys(matching)
    return [folder / name for name in found]


def copies(folder: Path) -> list[Path]:
    """The files that ``copy`` and ``unpack`` have made."""
    return sorted(each for each in folder.iterdir() if each.name.startswith(COPY) and each.is_file())


def copy(file: Path) -> Path:
    """A copy beside it. What a full volume has taken of it stays, as with ``cp``."""
    made = file.with_name(COPY + file.name)
    shutil.copyfile(file, made)
    return made


def unpack(file: Path) -> Path:
    """The unpacked content of a packed file beside it, which stays."""
    made = file.with_name(COPY + file.name.removesuffix(PACKED))
    with gzip.open(file) as packed, made.open("wb") as plain:
        shutil.copyfileobj(packed, plain)
    return made


def split(file: Path, lines: int = PIECE) -> list[Path]:
    """Its content, unpacked, in pieces of so many lines beside it; it stays."""
    made: list[Path] = []
    with gzip.open(file) if file.name.endswith(PACKED) else file.open("rb") as source:
        while piece := b"".join(islice(source, lines)):
            name = f"{COPY}{file.name.removesuffix(PACKED)}-{len(made) + 1:03d}"
            made.append(file.with_name(name))
            made[-1].write_bytes(piece)
    return made


def pack(file: Path) -> Path:
    """The file packed in its place: first the packed one is made, then the plain one goes; as ``gzip`` does."""
    made = file.with_name(file.name + PACKED)
    try:
        with file.open("rb") as plain, gzip.open(made, "wb") as packed:
            shutil.copyfileobj(plain, packed)
    except OSError:
        made.unlink(missing_ok=True)
        raise
    file.unlink()
    return made


def truncate(file: Path) -> int:
    """Empty it in its place; how many bytes went."""
    size = file.stat().st_size
    os.truncate(file, 0)
    return size


def move_off(files: Sequence[Path], evidence: Path) -> dict[str, str]:
    """Move them into a folder elsewhere: name -> SHA-256, which is also noted there.

    A file goes only when what lies there is the same and is noted. FileExistsError rather than replace one.
    """
    evidence.mkdir(parents=True, exist_ok=True)
    sums = {}
    for file in files:
        kept = evidence / file.name
        with file.open("rb") as source, kept.open("xb") as target:
            shutil.copyfileobj(source, target)
            target.flush()
            os.fsync(target.fileno())
        sums[file.name] = checksum(file)
        if checksum(kept) != sums[file.name]:
            kept.unlink()
            raise OSError(f"{file.name} changed while it was copied")
        with (evidence / SUMS).open("a") as noted:
            noted.write(f"{sums[file.name]}  {file.name}\n")
        file.unlink()
    return sums


def checksum(file: Path) -> str:
    """SHA-256 of its content, in hex."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
