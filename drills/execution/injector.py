"""The planned faults of one run: written down before anything else, then injected, looked at and undone by index."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from drills.record.history import NS, Plan, PlannedFault
from drills.record.names import StoreError
from faults import scope
from faults.fault import Fault
from faults.load import Steps
from targets.target import ProbeResult, Target, TargetError


class Injector:
    """Calls block. Each may run in a thread of its own; one index is never in two calls but ``witness`` at a time."""

    def __init__(
        self,
        plan: Plan,
        target: Target,
        record: scope.Record,
        journal: Callable[[Mapping[str, Any]], object],
        load: Steps | None = None,
    ) -> None:
        self.load = load
        self.plan, self.target, self.record, self.journal = plan, target, record, journal
        self._undone: set[int] = set()

    def intend(self) -> None:
        """Put on disk how to undo each of them: a slow disk must hold up no injection whose instant has come."""
        for planned in self._planned():
            scope.intend(self._fault(planned), planned, self.journal)

    def inject(self, index: int) -> None:
        """Break what the plan says under this index. NotInjected when it could not be."""
        scope.inject(self._fault(index), self.target, index, self.record)

    def verify_effect(self, index: int) -> ProbeResult:
        """What there is to see of it; not noted yet."""
        return scope.verify_effect(self._fault(index), self.target)

    def note_witness(self, index: int, seen: ProbeResult) -> None:
        """Put it on record."""
        scope.note_witness(index, seen, self.record)

    def rollback(self, index: int) -> None:
        """Undo it and look that nothing is left; a second time does nothing."""
        if index in self._undone:
            return
        self._undone.add(index)
        scope.end(self._fault(index), self.target, index, self.record, self.journal)

    def rollback_all(self) -> None:
        """Whatever of the plan has not been undone yet, injected or not; raises the first failure after all of them."""
        failed: list[Exception] = []
        for planned in self._planned():
            try:
                self.rollback(planned)
            except (TargetError, StoreError, OSError) as error:
                failed.append(error)
        if failed:
            raise failed[0]

    def _planned(self) -> list[int]:
        return [planned.index for planned in self.plan.faults] if self.plan.injects else []

    def _fault(self, index: int) -> Fault:
        planned = self.plan.faults[index]
        fault = scope.from_intent({"kind": planned.kind, **planned.params})
        return fault if self.load is None else fault.driven(self.load, f"step{index}", self._span(planned) / NS)

    def _span(self, planned: PlannedFault) -> int:
        """How long it lasts at most, ns."""
        return self.plan.cap if planned.lasts is None else planned.lasts
