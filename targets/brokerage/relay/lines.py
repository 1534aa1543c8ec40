"""A line of the transaction log: one request that was about to be passed on, whole exactly if its CRC is right.

``{"seq":…,"t_ns":…,"account":"…","key":"…","what":"POST /orders","bytes":…,"digest":"…"}`` TAB CRC-32 in hex. ``key``
is the customer's own, ``digest`` the first half of the body's BLAKE2; lines that the log itself writes have no account.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from targets.brokerage.volumes.files import COPY, PACKED

CURRENT, DEBUG = "transactions.log", "debug.log"
GZIP = 16
"""Added to zlib's window bits: the format of gzip."""


def put_aside(name: str, last: int | str) -> str:
    """What a log is called once another one is written: with the number of its last line."""
    number = last if isinstance(last, str) else f"{last:08d}"
    return f"{name.removesuffix('.log')}-{number}.log"


class Line(msgspec.Struct, frozen=True):
    """What one line says; ``seq`` counts from 1 without gaps, ``t_ns`` is CLOCK_MONOTONIC."""

    seq: int
    t_ns: int
    account: str
    key: str
    what: str
    bytes: int = 0
    digest: str = ""


_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(Line).decode


def written(line: Line) -> bytes:
    """As it stands in the log."""
    body = _ENCODE(line)
    return b"%s\t%08x\n" % (body, zlib.crc32(body))


def read(raw: bytes) -> Line | None:
    """What a line without its newline says; None where it is not whole."""
    body, tab, crc = raw.rpartition(b"\t")
    if not tab or crc != b"%08x" % zlib.crc32(body):
        return None
    try:
        return _DECODE(body)
    except msgspec.DecodeError:
        return None


def whole(content: bytes) -> Iterator[Line]:
    """The whole lines of a log."""
    return (line for raw in content.split(b"\n") if (line := read(raw)) is not None)


def logs(folder: Path) -> list[Path]:
    """The files of the log in a folder, packed ones too, by name; none where there is no such folder."""
    if not folder.is_dir():
        return []
    stems = (CURRENT.removesuffix(".log"), COPY + CURRENT.removesuffix(".log"))
    return sorted(each for each in folder.iterdir() if each.name.startswith(stems) and each.is_file())


def content(file: Path) -> bytes:
    """All of it, unpacked; of a packed file that is damaged as much as can be had. OSError."""
    raw = file.read_bytes()
    if not file.name.endswith(PACKED):
        return raw
    return b"".join(_unpacked(raw))


def last_sequence(lines: Iterable[Line]) -> int:
    """The highest number; 0 where there is none."""
    return max((line.seq for line in lines), default=0)


def _unpacked(raw: bytes) -> Iterator[bytes]:
    unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | GZIP)
    try:
        yield unpack.decompress(raw)
    except zlib.error:
        return
