"""The line to copy asks for the very run of the card, whatever it was asked with."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from drills.commands.app import app
from drills.judge.scorecard import Scorecard
from drills.record.arm import RUNBOOK
from drills.spec.drill import load_drill, name_of
from drills.spec.request import RunRequest, asked
from reports.replay import replay
from reports.terminal import render_card

from .cards import RUN, nobody, passed, react

USUAL = ["run", "exchange-link-down", "--arm", "runbook", "--seed", "7"]
ASKED: dict[str, Any] = {"drill": "exchange-link-down", "runbook": None, "proxy": "auto", "reaction_s": 1.0}


def line(**changed: Any) -> list[str]:
    card = passed() | {name: value for name, value in changed.items() if name in ("target", "subject", "operator")}
    said = ASKED | {name: value for name, value in changed.items() if name in ASKED}
    return replay(msgspec.convert(card | {"asked": said}, Scorecard))


@pytest.mark.parametrize(
    ("changed", "more"),
    [
        ({}, []),
        ({"runbook": "my page.yaml"}, ["--runbook", "my page.yaml"]),
        ({"proxy": "toxiproxy"}, ["--proxy", "toxiproxy"]),
        ({"reaction_s": 6.0}, ["--reaction", "6s"]),
        ({"reaction_s": 0.25}, ["--reaction", "0.25s"]),
        ({"reaction_s": 1234.567}, ["--reaction", "1234.567s"]),
        ({"reaction_s": 0.0}, ["--reaction", "0s"]),
        ({"reaction_s": 6.0, "operator": nobody("none")}, []),
        ({"subject": "app@1.2.3"}, ["--subject", "app@1.2.3"]),
        ({"target": "compose"}, ["--target", "compose"]),
    ],
)
def test_what_was_unusual_is_said_again(changed: dict[str, Any], more: Sequence[str]) -> None:
    assert line(**changed) == [*USUAL, *more]


def test_a_drill_given_by_its_path_is_asked_for_by_its_path() -> None:
    assert line(drill="mine/drill.yaml")[:2] == ["run", "mine/drill.yaml"]


def test_the_line_survives_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["kunren"])
    card = passed() | {"asked": ASKED | {"drill": "my drills/a b.yaml"}}
    (shown,) = [row for row in render_card(card, None, RUN).plain.split("\n") if row.startswith("replay: ")]
    assert shlex.split(shown)[1:4] == ["kunren", "run", "my drills/a b.yaml"]


def test_a_card_that_does_not_know_what_was_asked_names_its_drill_and_reaction() -> None:
    card = passed()
    react(card, 6.0)
    assert replay(msgspec.convert(card, Scorecard)) == [*USUAL, "--reaction", "6s"]


def test_a_catalogue_drill_has_its_name_however_it_was_given_and_a_copy_its_path(tmp_path: Path) -> None:
    drill = load_drill("exchange-link-down")
    assert name_of(drill) == name_of(load_drill(drill.folder)) == "exchange-link-down"
    for file in (drill.file, drill.runbook):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    copy = load_drill(tmp_path)
    assert name_of(copy) == str(tmp_path / "drill.yaml")
    order = RunRequest(copy, RUNBOOK, 7, tmp_path, proxy="embedded", runbook=tmp_path / drill.runbook.name)
    said = asked(order)
    assert (said.drill, said.runbook, said.proxy) == (
        str(tmp_path / "drill.yaml"),
        str(tmp_path / drill.runbook.name),
        "embedded",
    )


def test_every_option_of_the_line_is_one_of_the_command() -> None:
    known = CliRunner().invoke(app, ["run", "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
    argv = line(runbook="p.yaml", proxy="embedded", reaction_s=6.0, subject="a@1", target="compose")
    assert all(option in known for option in argv if option.startswith("--"))
