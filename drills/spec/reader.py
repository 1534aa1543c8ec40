"""A strict reader over a loaded file: each accessor returns the typed value or raises BadInput with its line.

Times are written with a unit (``250ms``, ``5s``, ``3m``, ``1h``) and read as integer nanoseconds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from drills.errors import BadInput, unknown
from drills.spec.yamlfile import Document, Place, load

UNITS = {"ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000}
"""Unit -> nanoseconds."""

LONGEST = 24 * UNITS["h"]

TIME = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s?([^\W\d_]{1,8})\Z", re.ASCII)
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?\Z", re.ASCII)


class Words(msgspec.Struct, frozen=True):
    """A text for people, in English and Japanese."""

    en: str
    ja: str

    def say(self, lang: str) -> str:
        """In ``ja``, or else in English."""
        return self.ja if lang == "ja" else self.en


@dataclass(frozen=True, slots=True)
class Node:
    """A value in a file and the place where it stands."""

    doc: Document
    place: Place
    value: Any

    @property
    def line(self) -> int:
        """Of the value; from 1."""
        return self.doc.line(self.place)

    @property
    def key_line(self) -> int:
        """Of the key before it; from 1."""
        return self.doc.key_line(self.place)

    def bad(self, says: str, *, at_key: bool = False) -> BadInput:
        """The error to raise about this value, or about the key before it."""
        return self.doc.bad(self.place, says, at_key=at_key)

    def expected(self, what: str) -> BadInput:
        """The error that this is not ``what``."""
        return self.bad(f"{self.name}: found {self._found()}, expected {what}")

    @property
    def name(self) -> str:
        """The place in words, such as ``timeline[0].fault``."""
        return path_words(self.place)

    @property
    def written(self) -> str | None:
        """The characters of a scalar, be they read as text or as a number; None for a mapping or a list."""
        return self.value if isinstance(self.value, str) else self.doc.written.get(self.place)

    def child(self, key: str | int) -> Node:
        """The value under a key or index that is known to be there."""
        return Node(self.doc, (*self.place, key), self.value[key])

    def fields(self, required: Collection[str], optional: Collection[str] = ()) -> dict[str, Node]:
        """The mapping's values by key; each required key stands there, and no other than these."""
        known = (*required, *optional)
        found = self.mapping(f"a mapping of {', '.join(known)}")
        for key, node in found.items():
            if key not in known:
                raise node.bad(f"{prefix(self.place)}{unknown('key', key, known)}", at_key=True)
        for key in required:
            if key not in found:
                raise self.bad(f"{prefix(self.place)}missing key '{key}'; required: {', '.join(required)}")
        return found

    def mapping(self, what: str = "a mapping") -> dict[str, Node]:
        """The mapping's values by key, whatever the keys."""
        if not isinstance(self.value, dict):
            raise self.expected(what)
        return {key: self.child(key) for key in self.value}

    def items(self, what: str = "a list", *, least: int = 0) -> list[Node]:
        """The list's values."""
        if not isinstance(self.value, list):
            raise self.expected(what)
        if len(self.value) < least:
            raise self.bad(f"{self.name}: found an empty list, expected {what}")
        return [self.child(index) for index in range(len(self.value))]

    def text(self, what: str = "text") -> str:
        """Text that is not blank, as it was written: ``3.10`` is no number here."""
        if self.value is None or self.written is None or not self.written.strip():
            raise self.expected(what)
        return self.written.strip()

    def slug(self) -> str:
        """A name that may be part of a path: lower-case letters, digits and hyphens."""
        text = self.text("a name such as link-down")
        if not SLUG.match(text):
            raise self.expected("a name of lower-case letters, digits and hyphens, at most 64")
        return text

    def one_of(self, known: Collection[str], what: str, shown: Collection[str] | None = None) -> str:
        """One of the known names; ``shown`` is what is told of them where they are too many."""
        text = self.written
        if text is None or text not in known:
            found = describe(self.value) if self.value is None or text is None else text
            raise self.bad(f"{prefix(self.place)}{unknown(what, found, known if shown is None else shown)}")
        return text

    def names(self, known: Collection[str] | None, what: str, *, least: int = 0) -> tuple[str, ...]:
        """A list of distinct names, each known where a vocabulary is given."""
        nodes = self.items(f"a list of {what}s", least=least)
        found = [node.text(f"a {what}") if known is None else node.one_of(known, what) for node in nodes]
        for node, name in zip(nodes, found, strict=True):
            if found.index(name) != node.place[-1]:
                raise node.bad(f"{node.name}: {what} '{name}' stands twice")
        return tuple(found)

    def number(self, low: float = -math.inf, high: float = math.inf) -> int | float:
        """A finite number within the bounds (inclusive)."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.expected("a number")
        if not low <= value <= high:
            raise self.expected(_bounds("a number", low, high))
        return value

    def integer(self, low: float = -math.inf, high: float = math.inf) -> int:
        """A whole number within the bounds (inclusive)."""
        if isinstance(self.value, bool) or not isinstance(self.value, int) or not low <= self.value <= high:
            raise self.expected(_bounds("a whole number", low, high))
        return self.value

    def time(self, *, positive: bool = False) -> int:
        """A duration in ns, at most a day."""
        match = TIME.match(self.value) if isinstance(self.value, str) else None
        if match is None:
            raise self.expected(f"a time with its unit, such as 5s; units: {', '.join(UNITS)}")
        amount, unit = match.groups()
        if unit not in UNITS:
            raise self.bad(f"{self.name}: {unknown('unit', unit, tuple(UNITS))} (found '{self.value}')")
        ns = int(Decimal(amount) * UNITS[unit])
        if ns > LONGEST:
            raise self.expected("at most 24h")
        if positive and ns == 0:
            raise self.expected("more than zero")
        return ns

    def words(self) -> Words:
        """``{en: …, ja: …}``, neither blank."""
        fields = self.fields(("en", "ja"))
        return Words(fields["en"].text("English text"), fields["ja"].text("Japanese text"))

    def _found(self) -> str:
        """What stands here, in words."""
        is_number = isinstance(self.value, int | float) and not isinstance(self.value, bool)
        return f"the number {self.written}" if is_number else describe(self.value)


def read(file: Path) -> Node:
    """The root of a YAML file; BadInput when it cannot be read."""
    doc = load(file)
    return Node(doc, (), doc.data)


def describe(value: object) -> str:
    """What was found, in words, short."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        flat = value.replace("\n", " ")
        shown = flat if len(flat) <= 40 else flat[:37] + "…"
        return f"'{shown}'" if value.strip() else "blank text"
    if isinstance(value, dict):
        return f"a mapping of {', '.join(list(value)[:5])}" if value else "an empty mapping"
    return f"a list of {len(value)}" if isinstance(value, Sequence) and value else "an empty list"


def path_words(place: Place) -> str:
    """``("timeline", 0, "at")`` -> ``timeline[0].at``; the root is ``the file``."""
    words = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return words.removeprefix(".") or "the file"


def prefix(place: Place) -> str:
    """The place before a message, with a colon; nothing at the root."""
    return f"{path_words(place)}: " if place else ""


def _bounds(what: str, low: float, high: float) -> str:
    if math.isinf(low) and math.isinf(high):
        return what
    if math.isinf(high):
        return f"{what} of at least {low:g}"
    return f"{what} from {low:g} to {high:g}"
