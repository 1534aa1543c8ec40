"""The correct histories that tests have, and the defects that can be planted into each: one line for each of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from tests.drills.certificate_defects import CERTIFICATE_DEFECTS
from tests.drills.certified import correct_certified
from tests.drills.crowd_defects import CROWD_DEFECTS
from tests.drills.crowded import correct_crowded
from tests.drills.defects import DEFECTS, Defect
from tests.drills.log_defects import LOG_DEFECTS
from tests.drills.logs import correct_logged
from tests.drills.night_defects import NIGHT_DEFECTS
from tests.drills.nights import correct_night
from tests.drills.number_defects import NUMBER_DEFECTS
from tests.drills.numbered import correct_numbered
from tests.drills.spool_defects import SPOOL_DEFECTS
from tests.drills.spooled import correct_spooled
from tests.drills.synthetic import Draft, correct
from tests.drills.withdrawal_defects import WITHDRAWAL_DEFECTS
from tests.drills.withdrawn import WITHDRAWAL_CHECKS, add_withdrawals, correct_withdrawn


@dataclass(frozen=True, slots=True)
class Made:
    """``make(seed, arm)`` gives a correct history; ``defects`` can be planted into it."""

    name: str
    make: Callable[..., Draft]
    defects: tuple[Defect, ...]

    def called(self, what: str) -> str:
        """What one of its histories is called in tables; those of the day have no prefix."""
        return what if self.name == "day" else f"{self.name} {what}"

    def spoilt(self, seed: int) -> Iterator[tuple[str, Draft]]:
        """By name: the correct history with each of the defects."""
        for defect in self.defects:
            draft = self.make(seed)
            defect.plant(draft, random.Random(seed))
            yield self.called(defect.name), draft


def correct_whole(seed: int = 0, arm: str = "runbook", effect: bool = True) -> Draft:
    """A day with every book that a domain brings, so that all domains judge it; without a crowd, it has no slots."""
    whole, numbered = correct_logged(seed, arm, effect), correct_numbered(seed, arm, effect)
    certified, crowded = correct_certified(seed, arm, effect), correct_crowded(seed, arm, effect)
    spooled = correct_spooled(seed, arm, effect)
    for name in ("exchange", "oms", "counters", "events"):
        setattr(whole, name, getattr(numbered, name))
    whole.certificates, whole.waiting_room = certified.certificates, crowded.waiting_room
    whole.spool, whole.market = spooled.spool, crowded.market
    parts = (whole, numbered, certified, spooled)
    books = dict.fromkeys(book for each in (*parts, crowded) for book in each.run.books)
    checks = dict.fromkeys(check for each in parts for check in each.plan.checks)
    checks |= dict.fromkeys(WITHDRAWAL_CHECKS)
    books |= dict.fromkeys(("bank", "withdrawals"))
    whole.bank = []
    add_withdrawals(whole, arm, effect=False)  # none in doubt
    whole.run = msgspec.structs.replace(whole.run, books=list(books))
    whole.plan = msgspec.structs.replace(whole.plan, checks=list(checks))
    return whole


MADE = (
    Made("day", correct, tuple(DEFECTS)),
    Made("night", correct_night, tuple(NIGHT_DEFECTS)),
    Made("logged", correct_logged, tuple(LOG_DEFECTS)),
    Made("certified", correct_certified, tuple(CERTIFICATE_DEFECTS)),
    Made("numbered", correct_numbered, tuple(NUMBER_DEFECTS)),
    Made("crowded", correct_crowded, tuple(CROWD_DEFECTS)),
    Made("withdrawn", correct_withdrawn, tuple(WITHDRAWAL_DEFECTS)),
    Made("spooled", correct_spooled, tuple(SPOOL_DEFECTS)),
)
