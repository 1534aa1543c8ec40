"""The card that lies in a run folder: what was judged when the run ended, under the rules of that day."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from drills.judge.scorecard import RULES, Scorecard
from drills.record.names import CARD, Unusable
from drills.record.reading import content_of

SCHEMA = str(Scorecard.__struct_defaults__[0])
"""The schema that this version writes."""
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Head(msgspec.Struct, frozen=True):
    """As much of any card as says under which rules it was made, what it was, and in which form."""

    rules: int
    verdict: str
    schema: str = ""


@dataclass(frozen=True, slots=True)
class KeptCard:
    """Its bytes, the number of its rules (None where it is garbled) and the schema that it names."""

    content: bytes
    rules: int | None
    schema: str = ""

    @property
    def of_another_schema(self) -> bool:
        """Whether another version wrote it under a schema that this one neither shows nor compares."""
        return self.rules is not None and self.schema != SCHEMA

    @property
    def of_other_rules(self) -> bool:
        """Whether this version would judge by other rules, so that a difference says nothing."""
        return self.rules is not None and self.rules != RULES

    def decoded(self, folder: Path) -> Scorecard:
        """The card; Unusable when it is garbled or of a form that this version cannot show."""
        fix = f"kunren check {folder} --rejudge judges it anew"
        if self.of_another_schema:
            raise Unusable(self._what(folder), fix)
        try:
            return msgspec.json.decode(self.content, type=Scorecard)
        except UNREADABLE as error:
            raise Unusable(self._what(folder), fix) from error

    def note(self) -> str:
        """Under which rules it was judged, where they are others than this version's."""
        return f"judged under rules {self.rules}; this is rules {RULES}; kunren check --rejudge judges it anew"

    def _what(self, folder: Path) -> str:
        path = folder / CARD
        if self.rules is None:
            return f"{path} is no card"
        head = msgspec.json.decode(self.content, type=_Head)
        form = f"in a form that rules {RULES} cannot show"
        if self.of_another_schema:
            form = f"as {head.schema or 'no schema'}; this version reads {SCHEMA}"
        return f"{path} says {head.verdict}, judged under rules {self.rules}, {form}"


def kept_card(folder: Path) -> KeptCard | None:
    """The card that lies in the folder; None where there is none. Unusable where it cannot be read now."""
    try:
        content = content_of(folder / CARD)
    except OSError:
        return None
    try:
        head = msgspec.json.decode(content, type=_Head)
        return KeptCard(content, head.rules, head.schema)
    except UNREADABLE:
        return KeptCard(content, None)
