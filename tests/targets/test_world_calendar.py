"""What the world says of the night is what the brokerage does in it."""

from __future__ import annotations

from targets.brokerage.batch.jobs import JOBS
from targets.brokerage.config import BatchConfig
from targets.brokerage.world import MUST_RUN, make_world


def test_the_jobs_that_must_run_are_the_batch_s_in_its_order() -> None:
    """Two lists on purpose; the last of them is the gate."""
    assert MUST_RUN == JOBS
    assert MUST_RUN[-1] == "opening-gate"


def test_the_calendar_dates_the_night() -> None:
    begins = "2026-11-02T18:00:00+09:00"
    (calendar,) = (row for row in make_world(3, 5, begins=begins) if row["kind"] == "calendar")
    plan = BatchConfig()
    assert calendar["begins"] == begins
    assert (calendar["batch_at"], calendar["rolls_at"], calendar["opening_at"]) == (plan.start, plan.roll, plan.opening)
    assert calendar["must_run"] == list(MUST_RUN)
