"""The one way to break something for a while: write down how to undo it, break, look, undo, look again.

::

    journal (synced) -> inject -> witness -> … -> undo -> gone

``broken`` does it around a block; ``begin`` and ``end`` are its halves for callers that cannot use a block. The undo
always runs, whatever ended the block, and also when the injection failed half-way. The intent is plain data: any
later process can read it and undo.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from faults import FAULTS
from faults.fault import DeclaredFault, Fault
from targets.own_errors import kind_of
from targets.target import ProbeResult, StartFailed, Target, TargetError

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
    return {"kind": fault.KIND, **fault.plain()}


def from_intent(intent: Mapping[str, Any]) -> DeclaredFault:
    """The fault of a drill file or a journal; ValueError says what is wrong with it."""
    kind = intent.get("kind")
    if kind not in FAULTS:
        raise ValueError(f"unknown fault kind {kind!r}; known: {', '.join(FAULTS)}")
    fields = {name: value for name, value in intent.items() if name != "kind"}
    return cast(DeclaredFault, FAULTS[kind].of(fields))


def intend(fault: Fault, index: int, journal: Journal) -> None:
    """Put on disk how to undo the fault, before it is injected; whatever happens afterwards, ``end`` must follow."""
    journal({"what": "intent", "index": index, "fault": to_intent(fault)})


def inject(fault: Fault, target: Target, index: int, record: Record) -> None:
    """Break it. NotInjected when that failed; what was begun of it is to be undone."""
    actor = f"fault:{index}"
    record(actor, "invoke", "inject", to_intent(fault))
    injected = _tried(fault.inject, target)
    _note(record, actor, "inject", injected)
    if not injected.ok:
        raise NotInjected(f"{fault.KIND}: {injected.says}")


def verify_effect(fault: Fault, target: Target) -> ProbeResult:
    """Look for the effect; not yet noted, since it may come too late to be one (``note_witness``)."""
    return _tried(fault.verify_effect, target)


def note_witness(index: int, seen: ProbeResult, record: Record) -> None:
    """Put on record what the witness saw, be it nothing."""
    _note(record, f"fault:{index}", "verify_effect", seen)


def begin(fault: Fault, target: Target, index: int, record: Record, journal: Journal) -> ProbeResult:
    """Journal the intent to undo, inject, and look for the effect: what the witness saw, be it nothing.

    NotInjected when it could not be injected. Whatever happens after the first line, ``end`` must follow.
    """
    intend(fault, index, journal)
    inject(fault, target, index, record)
    seen = verify_effect(fault, target)
    note_witness(index, seen, record)
    return seen


def end(fault: Fault, target: Target, index: int, record: Record, journal: Journal) -> ProbeResult:
    """Undo and look that nothing is left, some times if need be; the last look. Idempotent.

    What cannot be recorded is undone all the same; then the error of the recording comes up.
    """
    actor = f"fault:{index}"
    failed: list[Exception] = []
    record, journal = _going_on(record, failed), _going_on(journal, failed)
    for _ in range(ATTEMPTS):
        record(actor, "invoke", "rollback", to_intent(fault))
        _note(record, actor, "rollback", _tried(fault.rollback, target))
        gone = _tried(fault.verify_removed, target)
        _note(record, actor, "verify_removed", gone)
        if gone.ok:
            journal({"what": "undone", "index": index})
            break
    if failed:
        raise failed[0]
    return gone


@contextmanager
def broken(fault: Fault, target: Target, index: int, record: Record, journal: Journal) -> Iterator[ProbeResult]:
    """Broken inside the block, which gets what the witness saw; mended after it, however it ends."""
    try:
        yield begin(fault, target, index, record, journal)
    finally:
        end(fault, target, index, record, journal)


def _tried(verb: Callable[[Target], ProbeResult], target: Target) -> ProbeResult:
    """What the verb says; an error of the target or the network is a ProbeResult too, and so is one of our own."""
    try:
        return verb(target)
    except StartFailed as error:
        return ProbeResult(False, str(error), {"error": type(error).__name__, "log": list(error.log)})
    except (TargetError, OSError) as error:
        own = kind_of(error)
        return ProbeResult(False, str(error), {"error": type(error).__name__} | ({"own": own} if own else {}))


def _going_on(write: Callable[..., Any], failed: list[Exception]) -> Callable[..., Any]:
    """As ``write``, but what it raises is kept in ``failed``."""

    def written(*row: Any) -> None:
        try:
            write(*row)
        except Exception as error:  # noqa: BLE001  # a full disk must not keep the fault in place
            failed.append(error)

    return written


def _note(record: Record, actor: str, what: str, evidence: ProbeResult) -> None:
    record(actor, "ok" if evidence.ok else "fail", what, {"says": evidence.says, **evidence.data})
