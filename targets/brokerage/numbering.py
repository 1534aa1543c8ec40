"""The order number as both sides agreed on it: a field of fixed width in the exchange's messages.

One limit shows in four places: the sequence that gives the numbers, the column that keeps them, the field that the
gateway writes, and the field that the exchange reads. Numbers of the second range begin with a letter of their own.
"""

from __future__ import annotations

WIDTH = 7
"""Digits of the field, as it was agreed."""
WIDEST = 12

FIRST, SECOND = "", "R"
"""The ranges, by what their numbers begin with."""

SETTINGS = {
    "order-number-range": "1",  # 1, 2, or auto: the first, and the second once that is used up
    "order-number-gateway": str(WIDTH),
    "order-number-exchange": str(WIDTH),
    "order-number-overflow": "refuse",  # what the gateway does with a number that does not fit: refuse or truncate
}
"""What operators decide about numbers, durable in ``operations``; as it comes."""


def field(series: str, number: int, width: int, truncate: bool = False) -> str | None:
    """The number as it stands in a message; None where it does not fit. ``truncate`` keeps the last digits of it."""
    digits = width - len(series)
    text = f"{number:0{digits}d}"
    if len(text) > digits and not truncate:
        return None
    return series + text[-digits:]


def complaint(text: object, width: int) -> str:
    """Why the exchange does not take a number of a message; empty where it does."""
    if not isinstance(text, str) or not text.isascii():
        return "required tag missing"
    if not text.isdigit():
        return f"order number {text}: no such range is agreed"
    if not WIDTH <= len(text) <= width:
        return f"order number {text}: {len(text)} digits, agreed are {WIDTH} to {width}"
    return ""
