"""A harness out of descriptors takes nothing for the target's state: no silence, no illness, no broken link."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from faults import scope
from faults.probe import connects, probe
from faults.scope import begin
from targets.own_errors import kind_of
from targets.site import Plan as SitePlan
from targets.site import Site
from targets.stack import Stack
from targets.target import ProbeResult, TargetError, Unlabelled

from .stack import make_config
from .test_described import FILES
from .test_own_errors import no_descriptors

NOBODY = "127.0.0.1:9"


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """Of which nothing runs."""
    return Stack(make_config(tmp_path, dict.fromkeys(("api", "pager", "monitor"), 9), {}))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    folder = str(tmp_path)
    plan = SitePlan(FILES, folder, folder, folder, "token", 1, "embedded", 9, {"web": 9}, {"front": 9})
    return Site(plan)


LOOKS: dict[str, tuple[Callable[[Any, Any], object], object]] = {  # what is asked, and what silence means
    "alerts": (lambda stack, _: stack.received(0), ()),
    "heartbeat": (lambda stack, _: stack.heartbeat(), None),
    "health of a service": (lambda stack, _: stack._healthy("api"), False),
    "health of a described service": (lambda _, site: site._look("web").healthy, False),
    "what a probe sees": (lambda *_: probe(NOBODY, 1.0).end, "refused"),
    "whether a link accepts": (lambda *_: connects(NOBODY, 1.0).end, "refused"),
}


@pytest.mark.parametrize("name", LOOKS)
def test_what_cannot_be_asked_is_an_error_and_what_does_not_answer_is_not(name: str, stack: Stack, site: Site) -> None:
    look, silence = LOOKS[name]
    assert look(stack, site) == silence
    with no_descriptors(), pytest.raises((TargetError, OSError)) as caught:
        look(stack, site)
    assert kind_of(caught.value) == "too many open files"


def test_a_handshake_that_cannot_be_asked_for_does_not_call_the_target_unlabelled(site: Site) -> None:
    with no_descriptors(), pytest.raises((TargetError, OSError)) as caught:
        site.handshake()
    assert not isinstance(caught.value, Unlabelled)
    assert kind_of(caught.value) == "too many open files"


def test_a_verb_of_a_fault_says_that_the_trouble_was_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    class Looks:
        KIND = "looks"

        def inject(self, _: object) -> ProbeResult:
            return ProbeResult(True, "done")

        def verify_effect(self, _: object) -> ProbeResult:
            return ProbeResult(connects(NOBODY, 1.0).end == "refused", "looked")

    rows: list[tuple[Any, ...]] = []
    monkeypatch.setattr(scope, "to_intent", lambda fault: {"kind": fault.KIND})
    fault: Any = Looks()
    target: Any = None
    assert begin(fault, target, 0, lambda *row: rows.append(row), lambda _: None).ok
    with no_descriptors():
        assert not begin(fault, target, 0, lambda *row: rows.append(row), lambda _: None).ok
    assert ["own" in row[3] for row in rows if row[2] == "verify_effect"] == [False, True]
    assert rows[-1][3]["own"] == "too many open files"
