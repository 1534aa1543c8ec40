"""A timeline that steps the load up: whose service, and the quantities of a governing condition."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from drills.errors import BadInput
from drills.record.history import NS
from drills.spec.drill import load_drill
from drills.spec.faultform import DrawnFault
from drills.spec.files import CATALOGUE
from drills.spec.seeded import Between, Draw, Fixed, OneOf
from drills.spec.stepped import busiest, quantities
from drills.spec.timeline import TimedFault

SERVICES = {"orders": 18.0, "inquiry": 4.0}


def step(lasts: Draw[int] | None, **params: Draw[float]) -> TimedFault:
    return TimedFault(Fixed(NS), lasts, DrawnFault("load-step", {"service": Fixed("orders"), **params}, 1))


@pytest.mark.parametrize(
    ("fault", "known"),
    [
        (step(Fixed(8 * NS), to=Fixed(120.0)), {"load.step": 120.0, "load.step_s": 8.0}),
        (step(Between(7 * NS, 9 * NS), times=OneOf((5.0, 4.0))), {"load.step": 72.0, "load.step_s": 7.0}),
        (step(None, to=Fixed(120.0)), {}),
        (TimedFault(Fixed(NS), Fixed(NS), DrawnFault("kill", {"service": Fixed("api")}, 1)), {}),
    ],
)
def test_quantities_are_the_least_that_may_be_drawn(fault: TimedFault, known: dict[str, float]) -> None:
    assert quantities([fault], SERVICES) == known


def test_the_busiest_is_the_most_that_may_be_drawn() -> None:
    fault = step(None, times=OneOf((2.0, 5.0)))
    assert busiest([fault], SERVICES) == {"orders": 90.0, "inquiry": 4.0}
    assert busiest([], SERVICES) == SERVICES


def stepped(folder: Path, service: str) -> Path:
    """A drill of the catalogue whose load is stepped up in place of what it breaks."""
    source = CATALOGUE / "exchange-link-down"
    for name in ("runbook.yaml", "wrong.yaml"):
        (folder / name).write_bytes((source / name).read_bytes())
    step = f"fault: {{kind: load-step, service: {service}, to: 120}}"
    text = re.sub(r"fault: \{[^}]*\}", step, (source / "drill.yaml").read_text(), count=1)
    (folder / "drill.yaml").write_text(text)
    return folder / "drill.yaml"


def test_a_step_is_of_a_service_that_the_load_has(tmp_path: Path) -> None:
    assert load_drill(stepped(tmp_path, "orders")).timeline[0].fault.kind == "load-step"
    with pytest.raises(BadInput, match="unknown service of load day-session 'repayment'"):
        load_drill(stepped(tmp_path, "repayment"))
