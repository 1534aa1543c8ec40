"""Who is on call: which alert is taken, after how long, and which runbook is opened for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from drills.operators.inbox import Inbox, urgency
from drills.operators.on_call import OnCall
from drills.operators.outcomes import Followed, RunbookEnd
from drills.record.history import NS
from drills.spec.runbook import Runbook
from targets.target import Alert

HANG_S = 20


def alert(
    rule: str,
    link: str | None = "a",
    t: int = 1,
    *,
    severity: str = "page",
    layer: str = "cause",
    status: str = "firing",
) -> Alert:
    return Alert(rule, status, t, severity, {"layer": layer}, f"{rule} fires", link)


def test_pages_come_before_tickets_and_causes_before_symptoms_and_else_the_first() -> None:
    first, second = alert("first", t=3), alert("second", t=4)
    symptom, ticket = alert("symptom", t=2, layer="symptom"), alert("ticket", t=1, severity="ticket")
    assert sorted([ticket, symptom, second, first], key=urgency) == [first, second, symptom, ticket]


def test_at_the_end_of_the_reaction_the_first_in_order_is_taken_and_the_caller_is_kept() -> None:
    inbox = Inbox()
    for each in (alert("symptom", t=1, layer="symptom"), alert("cause", t=2), alert("ticket", t=0, severity="ticket")):
        inbox.put(each)
    call = inbox.take(0)
    assert call is not None
    assert (call.alert.rule, call.called) == ("cause", 1)


def test_the_reaction_counts_from_the_page_and_not_from_a_ticket_before_it() -> None:
    inbox, now = Inbox(), time.monotonic_ns()
    inbox.put(alert("ticket", t=now - 100 * NS, severity="ticket"))
    inbox.put(alert("page", t=now))
    call = inbox.take(NS // 20)
    assert call is not None
    assert (call.alert.rule, call.called) == ("page", now)
    assert time.monotonic_ns() >= now + NS // 20


def test_an_alert_that_is_sent_again_waits_once_and_one_resolved_meanwhile_no_longer() -> None:
    inbox = Inbox()
    for each in (alert("a", t=1), alert("a", t=2), alert("b", "b", t=3), alert("c", "c", t=4)):
        inbox.put(each)
    taken = inbox.take(0)
    inbox.put(alert("b", "b", t=5, status="resolved"))
    inbox.done(())
    then = inbox.take(0)
    assert taken is not None
    assert then is not None
    assert [taken.alert.rule, then.alert.rule] == ["a", "c"]
    inbox.close()
    assert inbox.take(0) is None


def test_what_resolves_before_anybody_looked_is_looked_at_all_the_same() -> None:
    inbox = Inbox()
    inbox.put(alert("a"))
    inbox.put(alert("a", t=2, status="resolved"))
    assert inbox.take(0) is not None


@dataclass(frozen=True)
class Page:
    """As much of a runbook as who is on call asks for."""

    id: str

    @property
    def sha256(self) -> str:
        return self.id * 2


@dataclass
class Script:
    """Follows each runbook as it was told; ``meanwhile`` happens while the runbook of this name is followed."""

    ends: Mapping[str, Followed]
    meanwhile: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)

    def follow(self, runbook: Any, interrupted: Callable[[], bool]) -> Followed:
        self.meanwhile.get(runbook.id, lambda: None)()
        if interrupted():
            self.left.append(runbook.id)
            return Followed(RunbookEnd.INTERRUPTED)
        return self.ends.get(runbook.id, Followed(RunbookEnd.DONE, changed=True))


@dataclass
class Shift:
    """Somebody on call with runbooks a to d, until there is nothing left to do."""

    script: Script
    inbox: Inbox = field(default_factory=Inbox)
    said: list[str] = field(default_factory=list)
    why: list[Mapping[str, Any]] = field(default_factory=list)

    def record(self, _: str, kind: object, what: str, data: Mapping[str, Any]) -> None:
        tail = data.get("end", data.get("reason", data.get("from")))
        self.said.append(f"{what} {data['runbook']} {kind}" + (f" {tail}" if tail else ""))
        if str(kind) == "invoke":
            self.why.append(data)

    def work(self, *alerts: Alert) -> list[str]:
        for each in alerts:
            self.inbox.put(each)
        library = cast(Mapping[str, Runbook], {name: Page(name) for name in "abcd"})
        on_call = OnCall(library, self.script, 0, self.record, lambda _: None, lambda _: None)
        worker = threading.Thread(target=on_call.attend, args=[self.inbox], daemon=True)
        worker.start()
        until = time.monotonic() + HANG_S
        while worker.is_alive() and not self.idle() and time.monotonic() < until:
            time.sleep(0.01)
        self.inbox.close()
        worker.join(HANG_S)
        assert not worker.is_alive()
        return self.said

    def idle(self) -> bool:
        return self.inbox._free_since not in (None, 0) and not self.inbox._waiting


def test_the_link_of_the_alert_is_followed_and_nothing_else() -> None:
    shift = Shift(Script({}))
    assert shift.work(alert("A", "b", t=7)) == ["runbook b invoke", "runbook b ok done"]
    (why,) = shift.why
    assert (why["rule"], why["alert_ns"], why["called_ns"], why["from"], why["sha256"]) == ("A", 7, 7, None, "bb")


def test_one_that_does_not_apply_is_closed_and_the_next_alert_taken() -> None:
    shift = Shift(Script({"a": Followed(RunbookEnd.REFUSED)}))
    said = shift.work(alert("A", "a", t=1), alert("B", "b", t=2))
    assert said == ["runbook a invoke", "runbook a ok refused", "runbook b invoke", "runbook b ok done"]


def test_one_that_looks_for_the_cause_opens_the_runbook_for_it() -> None:
    shift = Shift(Script({"a": Followed(RunbookEnd.OPENED, "b")}))
    said = shift.work(alert("A", "a"))
    assert said == ["runbook a invoke", "runbook a ok opened", "runbook b invoke a", "runbook b ok done"]
    assert [why["rule"] for why in shift.why] == ["A", "A"]


def test_a_page_interrupts_what_a_ticket_opened_and_not_what_a_page_did() -> None:
    for severity, left in (("ticket", ["a"]), ("page", [])):
        inbox = Inbox()
        page = lambda inbox=inbox: inbox.put(alert("B", "b", t=5))  # noqa: E731
        shift = Shift(Script({}, {"a": page}), inbox)
        said = shift.work(alert("A", "a", severity=severity))
        assert shift.script.left == left
        assert said[1] == f"runbook a {'fail interrupted' if left else 'ok done'}"
        assert said[2:] == ["runbook b invoke", "runbook b ok done"]


def test_a_ticket_that_comes_meanwhile_waits_and_one_with_the_same_link_has_been_dealt_with() -> None:
    inbox = Inbox()

    def come() -> None:
        inbox.put(alert("same", "a", t=5))
        inbox.put(alert("other", "c", t=6, severity="ticket"))

    said = Shift(Script({}, {"a": come}), inbox).work(alert("A", "a", severity="ticket"))
    # the page with the same link asks for what is being done: it interrupts nothing, and is not followed again
    assert said == ["runbook a invoke", "runbook a ok done", "runbook c invoke", "runbook c ok done"]


def test_what_changed_something_is_not_followed_twice_and_what_only_looked_is() -> None:
    looked = Shift(Script({"a": Followed(RunbookEnd.DONE)}))
    inbox = looked.inbox
    again = iter([lambda: inbox.put(alert("B", "b", t=5)), lambda: None])
    looked.script.meanwhile = {"a": lambda: next(again)()}
    looked.work(alert("A", "a"))
    assert looked.said == ["runbook a invoke", "runbook a ok done", "runbook b invoke", "runbook b ok done"]
    changed = Shift(Script({"c": Followed(RunbookEnd.OPENED, "a")}))
    said = changed.work(alert("A", "a", t=1), alert("C", "c", t=2))
    assert said[2:] == ["runbook c invoke", "runbook c ok opened", "not-opened a info followed-before"]


@pytest.mark.parametrize(("link", "reason"), [(None, "no-link"), ("z", "no-such-runbook")])
def test_an_alert_that_leads_nowhere_is_on_record_and_the_next_one_taken(link: str | None, reason: str) -> None:
    said = Shift(Script({})).work(alert("A", link, t=1), alert("B", "b", t=2))
    assert said == [f"not-opened {link} info {reason}", "runbook b invoke", "runbook b ok done"]


def test_an_escalation_ends_the_work_unless_it_names_a_runbook() -> None:
    shift = Shift(Script({"a": Followed(RunbookEnd.ESCALATED)}))
    assert shift.work(alert("A", "a", t=1), alert("B", "b", t=2)) == ["runbook a invoke", "runbook a fail escalated"]
    shift = Shift(Script({"a": Followed(RunbookEnd.ESCALATED, "b")}))
    said = shift.work(alert("A", "a", t=1))
    assert said == ["runbook a invoke", "runbook a fail escalated", "runbook b invoke a", "runbook b ok done"]
