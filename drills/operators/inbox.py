"""The alerts that wait for whoever is on call, and which of them is taken first: pages before tickets, causes before
symptoms, else the one that came first.

A reaction begins with the first page, or with the first ticket while there is no page. At its end, who is on call sees
all alerts that have come and takes the first in that order.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from drills.record.history import NS
from targets.target import Alert


@dataclass(frozen=True, slots=True)
class Call:
    """The alert that is taken; ``called`` is the receipt (ns) of the one with which the reaction began."""

    alert: Alert
    called: int


def urgency(alert: Alert) -> tuple[bool, bool, int]:
    """The smaller, the sooner it is taken."""
    return not alert.is_page, not alert.is_cause, alert.t_ns


class Inbox:
    """Filled by who receives alerts, emptied by who is on call; from any threads."""

    def __init__(self) -> None:
        self._waiting: list[Alert] = []
        self._last: dict[str, Alert] = {}
        self._changed = threading.Condition()
        self._free_since: int | None = 0  # ns; None while a runbook is followed
        self._closed = False

    def put(self, alert: Alert) -> None:
        """It came. One that is resolved while another's runbook is followed needs nobody any more."""
        with self._changed:
            if alert.status == "firing":
                self._last[alert.rule] = alert
            same = [each for each in self._waiting if _is_same(each, alert)]
            if alert.status == "firing" and not same:
                self._waiting.append(alert)
            elif alert.status != "firing" and self._free_since is None:
                self._waiting = [each for each in self._waiting if not _is_same(each, alert)]
            self._changed.notify_all()

    def last(self, rule: str) -> Alert | None:
        """The last alert of this rule that came firing."""
        with self._changed:
            return self._last.get(rule)

    def close(self) -> None:
        """Nobody is called any more; who waits goes on at once."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def take(self, reaction: int) -> Call | None:
        """The alert whose runbook is to be opened now; blocks until there is one. None once closed.

        ``reaction`` in ns, from the call or from when the last runbook was left.
        """
        with self._changed:
            while not self._closed:
                caller = self._caller()
                if caller is None:
                    self._changed.wait()
                    continue
                left = max(caller.t_ns, self._free_since or 0) + reaction - time.monotonic_ns()
                if left <= 0:
                    alert = min(self._waiting, key=urgency)
                    self._waiting.remove(alert)
                    self._free_since = None
                    return Call(alert, caller.t_ns)
                self._changed.wait(left / NS)
        return None

    def wait(self, reaction: int, *, leave_for_page: bool) -> bool:
        """Let a reaction pass before another runbook is opened for the same alert.

        False where a page came meanwhile that it has to be left for, or where the inbox was closed.
        """
        due = time.monotonic_ns() + reaction
        with self._changed:
            while not self._closed and not (leave_for_page and self._has_page()):
                left = due - time.monotonic_ns()
                if left <= 0:
                    return True
                self._changed.wait(left / NS)
        return False

    def has_page(self, besides: str) -> bool:
        """Whether a page waits that does not link to this runbook, which is being followed."""
        with self._changed:
            return self._has_page(besides)

    def done(self, covered: tuple[str, ...]) -> None:
        """Who was on call is free again, and has followed these runbooks: alerts that link to them wait no longer."""
        with self._changed:
            self._free_since = time.monotonic_ns()
            self._waiting = [each for each in self._waiting if each.runbook not in covered]
            self._changed.notify_all()

    def _has_page(self, besides: str = "") -> bool:
        return any(each.is_page and each.runbook != besides for each in self._waiting)

    def _caller(self) -> Alert | None:
        """The first page, or else the first of all."""
        return min(self._waiting, key=lambda each: (not each.is_page, each.t_ns), default=None)


def _is_same(one: Alert, other: Alert) -> bool:
    return (one.rule, one.labels) == (other.rule, other.labels)
