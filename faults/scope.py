"""The one way to break something for a while: write down how to mend it, break, look, mend, look again.

::

    journal (synced) -> inject -> witness -> … -> undo -> gone

``broken`` does it around a block; ``begin`` and ``end`` are its halves for callers that cannot use a block. The undo
always runs, whatever ended the block, and also when the injection failed half-way. The intent is plain data: any
later process can read it and mend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import msgspec

from faults import FAULTS
from faults.fault import Fault
from targets.own_errors import kind_of
from targets.target import Evidence, Target, TargetError

Record = Callable[[str, str, str, Mapping[str, Any]], Any]
"""``record(actor, kind, what, data)``: actor ``fault:N``; kind invoke, ok or fail; what is the verb."""

Journal = Callable[[Mapping[str, Any]], Any]
"""Takes one line and returns only when it is on disk."""

ATTEMPTS = 3
"""How often to undo until it is gone."""


class NotInjected(TargetError):
    """The fault could not be injected; what was begun of it is to be undone."""


def to_intent(fault: Fault) -> dict[str, Any]:
    """The fault as JSON-able data: ``kind`` and its fields."""
    return {"kind": fault.KIND, **msgspec.to_builtins(fault)}


def from_intent(intent: Mapping[str, Any]) -> Fault:
    """The fault of a drill file or a journal; ValueError says what is wrong with it."""
    kind = intent.get("kind")
    if kind not in FAULTS:
        raise ValueError(f"unknown fault kind {kind!r}; known: {', '.join(FAULTS)}")
    fields = {name: value for name, value in intent.items() if name != "kind"}
    return cast(Fault, msgspec.convert(fields, FAULTS[kind]))


def begin(fault: Fault, target: Target, index: int, record: Record, journal: Journal) -> Evidence:
    """Journal the intent to undo, inject, and look for the effect: what the witness saw, be it nothing.

    NotInjected when it could not be injected. Whatever happens after the first line, ``end`` must follow.
    """
    journal({"what": "intent", "index": index, "fault": to_intent(fault)})
    actor = f"fault:{index}"
    record(actor, "invoke", "inject", to_intent(fault))
    injected = _tried(fault.inject, target)
    _note(record, actor, "inject", injected)
    if not injected.ok:
        raise NotInjected(f"{fault.KIND}: {injected.says}")
    witnessed = _tried(fault.witness, target)
    _note(record, actor, "witness", witnessed)
    return witnessed


def end(fault: Fault, target: Target, index: int, record: Record, journal: Journal) -> Evidence:
    """Undo and look that nothing is left, some times if need be; the last look. Idempotent."""
    actor = f"fault:{index}"
    for _ in range(ATTEMPTS):
        record(actor, "invoke", "undo", to_intent(fault))
        _note(record, actor, "undo", _tried(fault.undo, target))
        gone = _tried(fault.gone, target)
        _note(record, actor, "gone", gone)
        if gone.ok:
            journal({"what": "undone", "index": index})
            break
    return gone


@contextmanager
def broken(fault: Fault, target: Target, index: int, record: Record, journal: Journal) -> Iterator[Evidence]:
    """Broken inside the block, which gets what the witness saw; mended after it, however it ends."""
    try:
        yield begin(fault, target, index, record, journal)
    finally:
        end(fault, target, index, record, journal)


def _tried(verb: Callable[[Target], Evidence], target: Target) -> Evidence:
    """What the verb says; an error of the target or the network is an Evidence too, and so is one of our own."""
    try:
        return verb(target)
    except (TargetError, OSError) as error:
        own = kind_of(error)
        return Evidence(False, str(error), {"error": type(error).__name__} | ({"own": own} if own else {}))


def _note(record: Record, actor: str, what: str, evidence: Evidence) -> None:
    record(actor, "ok" if evidence.ok else "fail", what, {"says": evidence.says, **evidence.data})
