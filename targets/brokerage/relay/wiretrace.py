"""What the raised log level writes: a request and its answer byte for byte, as a wire trace does. About 2 KB a request.

Best effort: an entry that cannot be written whole is dropped and counted, and the request goes on.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

from targets.brokerage.forwarding import Message
from targets.brokerage.relay.lines import DEBUG
from targets.brokerage.relay.log import Appender
from targets.http_async import Reply

WIDTH = 16
SECRET = re.compile(rb"(?im)^(authorization:[ \t]*\S+[ \t]+)[^\r\n]*")


class WireTrace:
    """Open while the level is raised."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: Appender | None = None
        self.dropped = 0

    @property
    def inode(self) -> int | None:
        """Of the file that is written to; None while none is."""
        return None if self._file is None else self._file.stat().st_ino

    def open(self) -> None:
        """Begin to write; OSError."""
        if self._file is None:
            self._file = Appender(self._folder / DEBUG)

    def close(self) -> None:
        """Write no more, and let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def reopen(self) -> None:
        """Go on in the file that has the name now. OSError: in the one of before."""
        if self._file is not None:
            self._file.reopen()

    def note(self, sequence: int, message: Message, reply: Reply) -> None:
        """One request with its answer."""
        if self._file is None:
            return
        try:
            self._file.add(entry(sequence, message, reply))
        except OSError:
            self.dropped += 1


HEAD = re.compile(rb"^#\d+ (\d+) ", re.MULTILINE)


def files(folder: Path) -> list[Path]:
    """Those in a folder that the raised level has written, by name; none where there is no such folder."""
    stem = DEBUG.removesuffix(".log")
    return sorted(each for each in folder.glob(f"{stem}*.log") if each.is_file())


def entries(content: bytes) -> Iterator[tuple[int, int]]:
    """When each request came (ns), and how many bytes were written of it."""
    heads = list(HEAD.finditer(content))
    ends = [*(each.start() for each in heads[1:]), len(content)][: len(heads)]
    return ((int(head[1]), end - head.start()) for head, end in zip(heads, ends, strict=True))


def entry(sequence: int, message: Message, reply: Reply) -> bytes:
    """What is written of one request; a customer's token and password are left out."""
    asked = SECRET.sub(rb"\1***", message.head) + (b"***" if message.path == "/login" else message.body)
    said = reply.head + (b"***" if message.path == "/login" else reply.body)
    parts = [f"#{sequence} {time.monotonic_ns()} {message.method} {message.path} -> {reply.status}"]
    for arrow, content in ((">", asked), ("<", said)):
        parts += (f"{arrow} {row}" for row in dump(content))
    return ("\n".join([*parts, ""])).encode()


def dump(content: bytes) -> Iterator[str]:
    """Offset, bytes in hex, and as text, a row for each 16."""
    for begin in range(0, len(content), WIDTH):
        piece = content[begin : begin + WIDTH]
        shown = "".join(chr(each) if 32 <= each < 127 else "." for each in piece)
        yield f"{begin:04x}  {piece.hex(' '):<{WIDTH * 3}} {shown}"
