"""The length of an HTTP message's body, as its head states it."""

from __future__ import annotations

from collections.abc import Iterable


def content_length(fields: Iterable[tuple[str, str]]) -> int:
    """Bytes, from all fields of the head; the same value said again counts as said once (RFC 9110, 8.6).

    ValueError where there is none, where two differ, or where it is no number.
    """
    said = [value for name, value in fields if name.strip().lower() == "content-length"]
    values = {each.strip() for value in said for each in value.split(",")}
    if not values:
        raise ValueError("reply without Content-Length")
    if len(values) > 1:
        raise ValueError(f"reply with different Content-Lengths: {', '.join(sorted(values))}")
    (length,) = values
    if not (length.isascii() and length.isdigit()):
        raise ValueError(f"reply with Content-Length {length!r}")
    return int(length)
