"""Which faults strike when: the ``timeline:`` of a drill, read strictly and drawn from the seed.

``at`` counts from the end of the baseline. The draw depends on the seed and the drill's name alone, so arms with the
same seed meet the same fault at the same instant.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import msgspec

from drills.errors import unknown
from drills.record.history import PlannedFault
from drills.spec.faultforms import Form, form
from drills.spec.reader import Node, path_words
from drills.spec.seeded import Draw, Fixed, corners, drawn, sample
from drills.spec.vocabulary import Vocabulary
from targets.references import NameRange, Refers, reference

UNTIL_JUDGED = "until-judged"

LIST_TYPES = (msgspec.inspect.ListType, msgspec.inspect.VarTupleType, msgspec.inspect.TupleType)


class TimedFault(msgspec.Struct, frozen=True):
    """A fault with its onset and duration in ns (``lasts`` None: until judged); ``line`` is where it stands."""

    at: Draw
    lasts: Draw | None
    kind: str
    params: dict[str, Draw]
    line: int


def timed_faults(node: Node, words: Vocabulary) -> tuple[TimedFault, ...]:
    """The list under ``timeline:``, at least one fault, in the file's order."""
    return tuple(_entry(item, words) for item in node.items("a list of faults", least=1))


def _entry(node: Node, words: Vocabulary) -> TimedFault:
    fields = node.fields(("at", "for", "fault"))
    kind, params = _fault(fields["fault"], words)
    return TimedFault(drawn(fields["at"], Node.time), _lasts(fields["for"]), kind, params, fields["fault"].line)


def _lasts(node: Node) -> Draw | None:
    if node.value == UNTIL_JUDGED:
        return None
    if isinstance(node.value, str) and node.value[:1].isalpha():
        raise node.expected(f"a time such as 5s, or {UNTIL_JUDGED}")
    return drawn(node, lambda item: item.time(positive=True))


def _fault(node: Node, words: Vocabulary) -> tuple[str, dict[str, Draw]]:
    found = node.mapping("a mapping with the fault's kind")
    if "kind" not in found:
        raise node.bad(f"{node.name}: missing key 'kind'; known kinds: {', '.join(words.faults)}")
    kind = found["kind"].one_of(words.faults, "fault kind")
    written = _form(node, kind, words)
    given = node.fields(("kind", *written.required), written.optional)
    params = {name: _param(item, written.fields[name].type, words) for name, item in given.items() if name != "kind"}
    _check_whole(node, written, params)
    return kind, params


def _form(node: Node, kind: str, words: Vocabulary) -> Form:
    """What may stand there: of a fault that plants a condition, the fields of that one, too."""
    naming = form(words, kind).names_condition
    if naming is None:
        return form(words, kind)
    found = node.mapping()
    if naming not in found:
        known = ", ".join(words.conditions) or "none"
        raise node.bad(f"{node.name}: missing key '{naming}'; known conditions: {known}")
    return form(words, kind, found[naming].one_of(words.conditions, Refers.CONDITION))


def _param(node: Node, declared: Any, words: Vocabulary) -> Draw:
    thing = reference(declared)
    known = None if thing is None else words.names(thing)
    shown = (str(known),) if isinstance(known, NameRange) else known

    def read(item: Node) -> Any:
        if thing is None:
            return _convert(item, declared, str(node.place[-1]))
        return item.text() if known is None else item.one_of(known, thing, shown)

    is_list = isinstance(msgspec.inspect.type_info(declared), LIST_TYPES)
    return Fixed(read(node)) if is_list else drawn(node, read)


def _convert(node: Node, declared: Any, name: str) -> Any:
    if declared is str:
        return node.text()
    info = msgspec.inspect.type_info(declared)
    if isinstance(info, msgspec.inspect.LiteralType) and isinstance(node.value, str) and node.value not in info.values:
        known = tuple(str(value) for value in info.values)
        raise node.bad(f"{path_words(node.place)}: {unknown(name, node.value, known)}")
    try:
        msgspec.convert(node.value, declared, strict=True)
    except msgspec.ValidationError as error:
        raise node.bad(f"{node.name}: {str(error).replace('`', '')}") from error
    return node.value


def _check_whole(node: Node, written: Form, params: Mapping[str, Draw]) -> None:
    """Fields that are each right may not go together; the fault itself says so."""
    for chosen in corners(params):
        try:
            written.check(chosen)
        except msgspec.ValidationError as error:
            raise node.bad(f"{node.name}: {str(error).replace('`', '')}") from error


def draw_faults(faults: tuple[TimedFault, ...], drill: str, seed: int) -> list[PlannedFault]:
    """Each fault's onset, duration and parameters for this seed; ``index`` is its place in the file."""
    rng = random.Random(f"{drill}/{seed}")
    return [_draw(index, fault, rng) for index, fault in enumerate(faults)]


def _draw(index: int, fault: TimedFault, rng: random.Random) -> PlannedFault:
    at = sample(fault.at, rng)
    lasts = None if fault.lasts is None else sample(fault.lasts, rng)
    return PlannedFault(index, fault.kind, at, lasts, {name: sample(draw, rng) for name, draw in fault.params.items()})
