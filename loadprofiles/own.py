"""What goes wrong in the load generator itself, counted by kind and told in its log."""

from __future__ import annotations

from typing import Any

from targets.own_errors import UNHANDLED, kind_of, tell


class OwnErrors:
    """``counts``: kind -> how many."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def note(self, error: BaseException, where: str) -> None:
        """One error that no target can cause, or that nobody caught."""
        kind = kind_of(error) or UNHANDLED
        self.counts[kind] = self.counts.get(kind, 0) + 1
        tell(kind, f"{where}: {type(error).__name__}: {error}")

    def note_if_own(self, error: BaseException, where: str) -> None:
        """The same, but for what may as well be the target's doing: refused, reset, closed, late, garbled."""
        if kind_of(error) is not None:
            self.note(error, where)

    def watch(self, hub: Any) -> None:
        """Note whatever ends a greenlet of this gevent hub that nobody waits for."""
        shown = hub.handle_error

        def handle(context: Any, kind: Any, value: Any, trace: Any) -> None:
            if isinstance(value, BaseException) and not isinstance(value, hub.NOT_ERROR):
                self.note(value, "greenlet")
            shown(context, kind, value, trace)

        hub.handle_error = handle
