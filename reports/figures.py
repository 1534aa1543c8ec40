"""Numbers as people read them. What is ``None`` is a dash: not known, or did not happen."""

from __future__ import annotations

from drills.scorecard import Span

DASH = "–"


def seconds(value: float | None) -> str:
    """``2.1 s``: measured, so one decimal always (two below a second), whatever the digit; the card keeps them all."""
    return DASH if value is None else f"{_fine(value)} s"


def amount(value: float | None, unit: str) -> str:
    """A number with its unit; counts and ratios have none. For what was set: ``5 s`` without decimals."""
    if value is None:
        return DASH
    if unit == "yen":
        return f"¥{_short(value)}"
    return _short(value) if unit in ("count", "ratio", "") else f"{_short(value)} {unit}"


def measured(value: Span | None, unit: str) -> str:
    """``earliest–latest``, or one number where the two do not differ as shown."""
    if value is None:
        return DASH
    if unit == "s":
        early, late = _fine(value[0]), seconds(value[1])
        return late if f"{early} s" == late else f"{early}{DASH}{late}"
    early, late = amount(value[0], unit), amount(value[1], unit)
    return late if early == late else f"{early}{DASH}{late}"


def _fine(value: float) -> str:
    if value == 0:
        return "0"
    return f"{value:,.1f}" if abs(value) >= 1 else f"{value:.2f}"


def _short(value: float) -> str:
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 1 else f"{value:.2f}"
