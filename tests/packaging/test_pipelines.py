"""What runs drills in other people's pipelines calls verbs and options that there are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from drills.commands.app import app

ROOT = Path(__file__).parents[2]
ACTION = ROOT / ".github" / "actions" / "drill" / "action.yml"
TEMPLATE = ROOT / ".gitlab" / "drill.yml"


def scripts() -> list[str]:
    action: Any = yaml.safe_load(ACTION.read_text())
    template: Any = yaml.safe_load(TEMPLATE.read_text())
    return [step["run"] for step in action["runs"]["steps"]] + template[".kunren-drill"]["script"]


@pytest.mark.parametrize("verb", ["run", "verify"])
def test_the_options_are_those_of_both_verbs(verb: str) -> None:
    command = typer.main.get_command(app)
    known = {option for each in command.commands[verb].params for option in each.opts}  # type: ignore[attr-defined]
    called = [text for text in scripts() if '"$VERB"' in text]
    assert len(called) == 2
    for text in called:
        assert set(re.findall(r"--[a-z]+", text)) <= known


def test_what_a_user_sets_reaches_the_shell_as_a_variable_alone() -> None:
    action: Any = yaml.safe_load(ACTION.read_text())
    assert all("${{" not in step["run"] for step in action["runs"]["steps"])
    given = set(action["inputs"])
    used = set(re.findall(r"inputs\.([a-z-]+)", ACTION.read_text()))
    assert used == given
