"""What ``run.json`` tells beside the plan, and what of it stands on the card."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import msgspec

from drills.cards import score
from drills.domains.registry import DOMAINS
from drills.execution.machine import libraries
from drills.exits import EXITS
from drills.judge.checks.validity import COMPLETE
from drills.record.arm import RUNBOOK
from drills.record.history import Asked, Cause, Earlier, Reason, RunEnd, RunRecord
from drills.spec.drill import load_drill
from drills.spec.planning import plan
from drills.spec.request import RunRequest, again
from targets.registry import RUNTIMES, runtime

from . import synthetic as made
from .synthetic import Draft, correct
from .words import limits_of
from .words import said as said_of


def recorded(**fields: object) -> Draft:
    draft = correct(1, effect=False)
    draft.run = msgspec.structs.replace(draft.run, **fields)
    return draft


# -- the record -------------------------------------------------------------------------------------------------------


def test_libraries_with_their_versions() -> None:
    found = libraries()
    wanted = {"python", "locust", "gevent", "psycopg", "psycopg-binary", "uvicorn", "msgspec", "numpy"}
    assert wanted <= set(found)
    assert found["locust"] == version("locust")
    assert list(found) == sorted(found)
    assert not {"pytest", "ruff", "hypothesis"} & set(found)  # no part of a run
    assert all(re.match(r"\d", number) for number in found.values())


def test_every_end_decides_the_exit_code_or_leaves_it_to_the_verdict() -> None:
    assert not set(EXITS) & COMPLETE
    assert EXITS == {"baseline": 2, "error": 2, "refused": 3, "hung-up": 129, "interrupted": 130, "terminated": 143}


def test_the_targets_own_books_are_those_that_no_witness_keeps() -> None:
    for name in RUNTIMES:
        offered = runtime(name).capabilities()
        assert offered.own_books == {
            "oms",
            "notices",
            "transactions",
            "counters",
            "waiting-room",
            "withdrawals",
            "spool",
        }
        assert (
            set(offered.books)
            == {
                "oms",
                "notices",
                "exchange",
                "market",
                "bank",
                "transactions",
                "certificates",
                "counters",
                "waiting-room",
                "withdrawals",
                "spool",
            }
            <= set(DOMAINS.books)
        )


def test_a_record_of_before_is_still_read() -> None:
    document = msgspec.to_builtins(correct(1).run)
    for name in ("own_books", "libraries", "asked", "earlier"):
        del document[name]
    del document["end"]["exit"], document["plan"]["limits_ja"]
    record = msgspec.convert(document | {"mandatory": 26}, RunRecord)
    assert (record.asked, record.earlier, record.own_books) == (None, [], [])


def test_a_plan_has_its_limits_in_both_languages() -> None:
    drill = load_drill("exchange-link-down")
    fixed = plan(drill, RUNBOOK, 7)
    assert [(limit.en, limit.ja) for limit in drill.limits] == list(zip(fixed.limits, fixed.limits_ja, strict=True))


# -- the card ---------------------------------------------------------------------------------------------------------


def test_an_engine_that_was_not_used_is_null_and_a_limit() -> None:
    card = score(recorded(engines={"proxy": "embedded 2.12.0", "database": "postgresql 18.1"}).history(), None)
    assert list(card.engines.items()) == [
        ("proxy", "embedded 2.12.0"), ("volume", None), ("database", "postgresql 18.1"),
    ]  # fmt: skip
    assert [line for line in limits_of(card) if line.startswith("engines.")] == [
        "engines.volume: the target named none"
    ]


def test_of_a_target_that_never_came_up_no_engine_is_known() -> None:
    card = score(recorded(engines={}, ready=None).history(), None)
    assert set(card.engines.values()) == {None}
    assert "engines.proxy: the target was never ready" in limits_of(card)


def test_other_engines_stand_beside_them() -> None:
    assert score(recorded(engines={"containers": "docker 29"}).history(), None).engines["containers"] == "docker 29"


def test_what_was_asked_for_and_what_came_before_stand_on_the_card() -> None:
    first = Earlier(
        "made-up/first", "3f9c", "invalid", [Cause("load-on-time", [], [Reason("load.late", {"seconds": 0.081})])]
    )
    draft = recorded(asked=Asked("a/drill.yaml", "b/page.yaml", "embedded"), earlier=[first], attempts=2)
    draft.plan = msgspec.structs.replace(draft.plan, reaction=6 * made.NS)
    card = score(draft.history(), None)
    assert card.asked is not None
    assert msgspec.to_builtins(card.asked) == {
        "drill": "a/drill.yaml", "runbook": "b/page.yaml", "proxy": "embedded", "reaction_s": 6.0,
    }  # fmt: skip
    assert msgspec.to_builtins(card.earlier) == [msgspec.to_builtins(first)]


def test_a_run_made_once_more_knows_the_one_before() -> None:
    unseen = recorded(end=RunEnd(made.at(made.END + 5), "error", "the load generator died"))
    unseen.events = [event for event in unseen.events if event[3] != "verify_effect"]
    first = score(unseen.history(), "3f9c")
    assert sum(check.verdict == "invalid" for check in first.checks) > 1
    assert first.verdict == "invalid"
    request = RunRequest(load_drill("exchange-link-down"), RUNBOOK, 7, Path("runs"))
    second = again(request, first)
    assert (second.attempts, second.seed) == (2, 7)
    (before,) = second.earlier
    assert (before.run, before.evidence, before.verdict) == (first.run, "3f9c", "invalid")
    assert [said_of(each) for each in before.causes] == ["ended: error (the load generator died)"]
