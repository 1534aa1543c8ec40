"""Numbers as people read them. What is ``None`` is a dash: not known, or did not happen."""

from __future__ import annotations

from drills.judge.scorecard import Span
from reports.texts import Lang, say

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


def shown(value: Span | float | None, unit: str, lang: Lang = "en") -> str:
    """A metric's value: a span of time, or what was measured as one number."""
    if isinstance(value, tuple):
        return measured(value, unit, lang)
    return seconds(value) if unit == "s" else amount(value, unit)


def measured(value: Span | None, unit: str, lang: Lang = "en") -> str:
    """``earliest–latest``, or one number where the two do not differ as shown; what came too early ``2.1 s before``."""
    if value is None:
        return DASH
    if unit == "s":
        return span(value, lang) if value[0] < 0 else _between(value)
    early, late = amount(value[0], unit), amount(value[1], unit)
    return late if early == late else f"{early}{DASH}{late}"


def span(value: Span, lang: Lang, since: str = "start") -> str:
    """A span of time in words: ``5.2–5.3 s before …``, ``… after``; ``since`` is the instant from which it counts.

    Nobody reads a sign in ``-5.3–-5.2 s``.
    """
    early, late = value
    if late <= 0:
        return say(lang, f"span.before.{since}", span=_between((-late, -early)))
    if early >= 0:
        return say(lang, f"span.after.{since}", span=_between(value))
    return say(lang, f"span.around.{since}", before=seconds(-early), after=seconds(late))


def _between(value: Span) -> str:
    early, late = _fine(value[0]), seconds(value[1])
    return late if f"{early} s" == late else f"{early}{DASH}{late}"


def _fine(value: float) -> str:
    if value == 0:
        return "0"
    return f"{value:,.1f}" if abs(value) >= 1 else f"{value:.2f}"


def _short(value: float) -> str:
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 1 else f"{value:.2f}"
