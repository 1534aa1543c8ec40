"""How long a chain was served that had ended, and what was left of it when it was first seen."""

from __future__ import annotations

import msgspec
import pytest

from drills.cards import score
from drills.domains.certificates.rows import ClientLook, NameServed
from drills.record.history import Status

from .certified import APP, CERTIFICATE_CHECKS, correct_certified, seen
from .synthetic import END, FAULT, SWITCHED, Draft, asked, at

METRICS = ("certificate_ended", "certificate_left", "certificate_replaced")


def measured(draft: Draft) -> list[object]:
    card = score(draft.history(), None)
    return [card.number(name) for name in METRICS]


def test_a_chain_that_was_renewed_in_time_was_never_served_after_its_end() -> None:
    assert measured(correct_certified(1)) == [0.0, 20.0, SWITCHED - FAULT]


def test_one_that_ended_counts_until_another_was_seen_or_to_the_end() -> None:
    draft = correct_certified(1)
    draft.certificates = [row for row in draft.certificates if row.t_ns != at(SWITCHED)]
    draft.certificates.append(seen(FAULT + 0.5, "www.example", "y", 3_000))
    ended = (END - FAULT - 20 if END > FAULT + 20 else 0) + (END - FAULT - 3.5)
    assert measured(draft) == [pytest.approx(ended), 20.0, END - FAULT]


def test_where_no_handshake_was_had_no_chain_is_served() -> None:
    draft = correct_certified(1)
    draft.certificates.append(seen(SWITCHED + 1, APP, "", 0))
    assert measured(draft)[0] == 0.0


def test_a_listener_that_is_down_has_replaced_nothing_and_nobody_knows_what_was_entered() -> None:
    draft = correct_certified(1)
    draft.certificates = [row for row in draft.certificates if row.t_ns != at(SWITCHED)]
    draft.certificates.append(seen(SWITCHED, APP, "", 0))
    gone = next(n for n, row in enumerate(draft.certificates) if isinstance(row, NameServed) and row.name == APP)
    draft.certificates[gone] = msgspec.structs.replace(draft.certificates[gone], fingerprint="", listed="")
    assert measured(draft)[2] == END - FAULT
    assert asked("renewed-names-listed", draft).status == Status.FAIL


def test_without_a_short_one_there_is_nothing_to_measure() -> None:
    assert measured(correct_certified(1, "no-fault")) == [0.0, None, None]


@pytest.mark.parametrize("check", CERTIFICATE_CHECKS)
def test_nobody_who_looked_is_no_pass(check: str) -> None:
    draft = correct_certified(1)
    draft.certificates = [row for row in draft.certificates if not isinstance(row, NameServed | ClientLook)]
    wanted = Status.PASS if check == "renewed-names-listed" else Status.UNKNOWN
    assert asked(check, draft).status == wanted
