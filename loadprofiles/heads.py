"""The head of an HTTP response on its way to the parser.

The parser refuses a second Content-Length whatever it says. RFC 9110, 8.6, lets a recipient take identical values for
one, twice or in one field, and browsers and other clients do: a system that answers so is served well, and an error
would be the instrument's. Values that differ stay for the parser to refuse.
"""

from __future__ import annotations

import re

INTERIM = re.compile(rb"HTTP/1\.[01] 1\d\d\b")
"""A status line that another head follows."""
LENGTH = re.compile(rb"\ncontent-length:([^\n]*)", re.IGNORECASE)


class SingleLength:
    """Takes the bytes of one answer as they come and leaves out what says the same length again.

    Bytes of the status line and of the body pass at once; a line of the head passes when it is whole.
    """

    def __init__(self) -> None:
        self._held = b""
        self._begin()

    def pass_on(self, data: bytes) -> bytes:
        """As much as the parser may have by now."""
        if self._body or self._is_plain(data):
            return data
        passed = []
        held = self._held + data
        while not self._body and (end := held.find(b"\n") + 1):
            line, held = held[:end], held[end:]
            passed.append(self._line(line))
        if self._body or not self._in_fields:  # garbage in the place of a status line is refused at once
            self._status += b"" if self._body else held
            passed.append(held)
            held = b""
        self._held = held
        return b"".join(passed)

    def _is_plain(self, data: bytes) -> bool:
        """Whether it is a whole final head that says its length once, as nearly all are, and no more of it comes."""
        end = data.find(b"\r\n\r\n")
        if end < 0 or self._status or INTERIM.match(data):
            return False
        said = LENGTH.findall(data, 0, end)
        self._body = not said[1:] and b"," not in b"".join(said)
        return self._body

    def _begin(self) -> None:
        self._status, self._length = b"", b""
        self._in_fields = self._body = False

    def _line(self, line: bytes) -> bytes:
        if not self._in_fields:
            self._status += line
            self._in_fields = True
        elif line in (b"\r\n", b"\n"):
            if INTERIM.match(self._status):
                self._begin()
            else:
                self._body = True
        else:
            return self._field(line)
        return line

    def _field(self, line: bytes) -> bytes:
        name, _, value = line.partition(b":")
        if name.lower() != b"content-length":
            return line
        values = {each.strip() for each in value.split(b",")}
        length = values.pop()
        if values or not length.isdigit() or self._length not in (b"", length):
            return line
        again, self._length = self._length == length, length
        return b"" if again else b"Content-Length: %s\r\n" % length
