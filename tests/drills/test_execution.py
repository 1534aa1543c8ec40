"""Several runs of one command: an attempt that was void and its repetition, and a command that is cut short."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drills import api, cli
from drills.cards import judge_and_write
from drills.errors import Refused
from drills.interrupts import HungUp, Terminated
from drills.judge.scorecard import EarlierCell, Scorecard
from drills.judge.unjudged import claiming_nothing
from drills.record.history import Earlier
from drills.spec.files import CATALOGUE
from drills.spec.request import RunRequest

from .runfolder import whole_run

DRILL = "exchange-link-down"
Cut = BaseException | None
HOW_OF: dict[type[BaseException], api.How] = {
    KeyboardInterrupt: api.How.INTERRUPTED,
    Terminated: api.How.TERMINATED,
    HungUp: api.How.HUNG_UP,
    Refused: api.How.REFUSED,
}
Call = Callable[..., int]


@pytest.fixture
def card(tmp_path: Path) -> Scorecard:
    found, _ = judge_and_write(whole_run(tmp_path))
    return found


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUNREN_CACHE", str(tmp_path / "cache"))

    def kunren(*argv: str) -> int:
        monkeypatch.setattr(sys, "argv", ["kunren", *argv])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert isinstance(ended.value.code, int)
        return ended.value.code

    return kunren


def script(monkeypatch: pytest.MonkeyPatch, verb: str, card: Scorecard, *scenes: tuple[str, Cut]) -> list[RunRequest]:
    """In the place of real runs: their verdicts in turn, and what cuts the command short after them."""
    orders: list[RunRequest] = []
    left = list(scenes)

    def conduct(request: RunRequest, *_: object, **__: object) -> tuple[Scorecard, Cut]:
        orders.append(request)
        verdict, cut = left.pop(0)
        void = verdict == "invalid"
        checks = [msgspec.structs.replace(each, verdict=verdict if void else each.verdict) for each in card.checks[:1]]
        shown: dict[str, Any] = {
            "arm": str(request.arm),
            "seed": request.seed,
            "attempts": request.attempts,
            "cannot_judge": None,
        }
        shown |= {"run": f"{card.run}-{len(orders)}", "earlier": list(map(earlier_cell, request.earlier))}
        return claiming_nothing(msgspec.structs.replace(card, **shown, verdict=verdict, checks=checks)), cut

    def run(request: RunRequest, *_: object, **__: object) -> api.RunResult:
        made, cut = conduct(request)
        how = None if cut is None else api.Cut(HOW_OF[type(cut)], str(cut))
        untold: Any = None  # nobody looks at the history
        return api.RunResult(Path(made.run), made, untold, how)

    monkeypatch.setattr(f"drills.commands.{verb}.conduct", conduct)
    monkeypatch.setattr("drills.fleet.fleet.api.run", run)  # where there are several
    return orders


def earlier_cell(attempt: Earlier) -> EarlierCell:
    return EarlierCell(run=attempt.run, evidence=attempt.evidence, verdict=attempt.verdict, causes=attempt.causes)


def outcome(argv: tuple[str, ...], call: Call, tmp_path: Path) -> tuple[int, Any, list[str]]:
    """Exit code, the JSON document, the names of the JUnit suites."""
    code = call(*argv, "--json", "out.json", "--junit", "out.xml")
    suites = [str(suite.get("name")) for suite in ET.parse(tmp_path / "out.xml").getroot()]
    return code, json.loads((tmp_path / "out.json").read_bytes()), suites


def test_an_attempt_that_was_void_is_delivered_beside_its_repetition(
    call: Call, card: Scorecard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    orders = script(monkeypatch, "run", card, ("invalid", None), ("pass", None))
    code, document, suites = outcome(("run", DRILL, "--retry-invalid", "1", "--seed", "7"), call, tmp_path)
    assert code == 0
    assert document["schema"] == "kunren.summary/1"
    assert [(each["verdict"], each["attempts"]) for each in document["cards"]] == [("invalid", 1), ("pass", 2)]
    assert len(suites) == 2
    assert [request.attempts for request in orders] == [1, 2]
    (first,) = orders[1].earlier
    assert (first.run, first.evidence, first.verdict) == (f"{card.run}-1", card.evidence, "invalid")
    assert [(each.check, each.reasons) for each in first.causes] == [(card.checks[0].id, card.checks[0].reasons)]


@pytest.mark.parametrize(("verdict", "code"), [("fail", 1), ("unknown", 2), ("pass", 0)])
def test_what_could_judge_is_never_repeated(
    call: Call, card: Scorecard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, verdict: str, code: int
) -> None:
    script(monkeypatch, "run", card, (verdict, None))
    found, document, _ = outcome(("run", DRILL, "--retry-invalid", "1"), call, tmp_path)
    assert (found, document["schema"], document["verdict"]) == (code, "kunren.scorecard/2", verdict)


def test_void_twice_is_void(call: Call, card: Scorecard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script(monkeypatch, "run", card, ("invalid", None), ("invalid", None))
    code, document, _ = outcome(("run", DRILL, "--retry-invalid", "1"), call, tmp_path)
    assert code == 2
    assert len(document["cards"]) == 2


@pytest.mark.parametrize(
    ("cut", "code"),
    [(KeyboardInterrupt(), 130), (Terminated(143), 143), (HungUp(129), 129), (Refused("it shows no label"), 3)],
)
def test_a_command_cut_short_delivers_what_it_has(
    call: Call, card: Scorecard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cut: BaseException, code: int
) -> None:
    orders = script(monkeypatch, "run", card, ("pass", None), ("invalid", cut))
    argv = ("run", DRILL, "--repeat", "3", "--retry-invalid", "1")
    found, document, suites = outcome(argv, call, tmp_path)
    assert found == code
    assert [each["verdict"] for each in document["cards"]] == ["pass", "invalid"]
    assert len(suites) == len(orders) == 2


def verified(call: Call, tmp_path: Path, *argv: str) -> tuple[int, list[dict[str, Any]]]:
    code = call("verify", DRILL, "--arm", "runbook", "--arm", "no-action", "--arm", "no-fault", *argv, "--json", "v")
    rows: list[dict[str, Any]] = json.loads((tmp_path / "v").read_bytes())["rows"]
    return code, rows


@pytest.mark.parametrize(
    ("cut", "code", "word"),
    [(KeyboardInterrupt(), 130, "interrupted"), (Terminated(143), 143, "terminated"), (HungUp(129), 129, "hung up")],
)
def test_who_was_cut_short_is_told_where_the_card_lies(
    call: Call,
    card: Scorecard,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    cut: BaseException,
    code: int,
    word: str,
) -> None:
    script(monkeypatch, "run", card, ("invalid", cut))
    assert call("run", DRILL) == code
    where = f"the card lies in runs/{card.run}-1/scorecard.json"
    assert capsys.readouterr().err == f"kunren: {word}; everything was undone and stopped; {where}\n"


@pytest.mark.parametrize(("cut", "code"), [(KeyboardInterrupt(), 130), (Terminated(143), 143), (HungUp(129), 129)])
def test_a_verification_cut_short_shows_what_it_did_not_come_to(
    call: Call,
    card: Scorecard,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    cut: BaseException,
    code: int,
) -> None:
    orders = script(monkeypatch, "verify", card, ("pass", None), ("invalid", cut))
    found, rows = verified(call, tmp_path)
    assert found == code
    assert [(row["arm"], row["verdict"], row["as_declared"]) for row in rows] == [
        ("runbook", "pass", True), ("no-action", "not run", False), ("no-fault", "not run", False),
    ]  # fmt: skip
    assert len(orders) == 2
    said = capsys.readouterr()
    table = [line.split() for line in said.out.splitlines()]
    assert [line[0] for line in table if line[2:4] == ["not", "run"]] == ["no-action", "no-fault"]
    assert "what ran behaved as declared; 2 were not run to their end" in said.out
    assert "everything was undone and stopped" in said.err


def test_a_signal_between_two_runs(
    call: Call, card: Scorecard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("drills.commands.verify.conduct", interrupted)
    code, rows = verified(call, tmp_path)
    assert (code, [row["verdict"] for row in rows]) == (130, ["not run"] * 3)


def test_a_verification_that_is_not_cut_short(
    call: Call, card: Scorecard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    orders = script(monkeypatch, "verify", card, *[("invalid", None)] * 2, *[("pass", None)] * 2)
    code, rows = verified(call, tmp_path)
    assert code == 1
    assert [row["verdict"] for row in rows] == ["invalid", "pass", "pass"]
    assert [request.attempts for request in orders] == [1, 2, 1, 1]
    assert "1 of 2 runs did not behave as declared; 1 could not judge" in capsys.readouterr().out


def test_several_drills_are_told_apart(
    call: Call, card: Scorecard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example = CATALOGUE.with_name("examples") / "datasette"
    both = [str(example / name) for name in ("drill.silent.yaml", "drill.stays.yaml")]
    script(monkeypatch, "verify", card, *[("pass", None)] * 2)
    monkeypatch.setenv("COLUMNS", "80")
    target = ("--target", str(example / "target.yaml"))
    call("verify", *both, *target, "--arm", "no-action", "--proxy", "embedded", "--json", "v")
    rows = json.loads((tmp_path / "v").read_bytes())["rows"]
    assert [(row["drill"], row["variant"]) for row in rows] == [("datasette", "silent"), ("datasette", "stays")]
    told = capsys.readouterr().out.splitlines()
    (head,) = (number for number, line in enumerate(told) if line.startswith("drill "))
    assert [line.split()[0] for line in told[head + 1 : head + 3]] == ["datasette.silent", "datasette.stays"]
