"""Foreign text made fit for a terminal: the one function through which all of it goes before it is printed.

A file, a reply or a log may hold what a terminal obeys: escape sequences, carriage returns, marks that turn the
direction of writing. Shown as escapes they are seen and do nothing.
"""

from __future__ import annotations

import re

OBEYED = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f"  # control characters but the newline, which our own text is made of
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks, embeddings, overrides and isolates of direction
    "\u2028\u2029"  # separators that some terminals and editors break lines at
    "\ud800-\udfff]"  # bytes that were no UTF-8, as Python keeps them, and other halves of pairs
)


def visible(text: str) -> str:
    """The text with everything but newlines that a terminal would act on as ``\\x1b`` or ``\\u202e``. Idempotent."""
    return OBEYED.sub(_escape, text)


def visible_line(text: str) -> str:
    """The same on one line, for what must not look like two."""
    return visible(text).replace("\n", "\\x0a")


def is_text(path: object) -> bool:
    """Whether the path is UTF-8, so that it can stand in JSON and be told to any program as it is."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def visible_json(document: str) -> str:
    """JSON with the same characters escaped as JSON escapes them: they can stand in its strings alone."""
    return OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a path or an argument, as os.fsdecode keeps it
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
