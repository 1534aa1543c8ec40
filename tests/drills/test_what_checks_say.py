"""The sentence, the ruling and the evidence of every check: for correct histories, and for each planted defect.

The table ``said.tsv`` and the cells of ``cards.json`` were read and found right; ``python tests/drills/said.py`` writes
them anew.
"""

from __future__ import annotations

import msgspec
import pytest

from .judging import CHECKS
from .said import CARDS, TABLE, cards, lines

READ = msgspec.json.decode(CARDS.read_bytes())


def test_every_check_says_what_was_read_and_found_right() -> None:
    known, said = TABLE.read_text(encoding="utf-8").splitlines(), list(lines())
    assert [line for line in said if line not in known] == []
    assert said == known


def test_every_check_stands_in_the_table() -> None:
    assert {line.split("\t")[1] for line in TABLE.read_text(encoding="utf-8").splitlines()} == set(CHECKS)


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, object]]:
    return cards()


@pytest.mark.parametrize("name", READ)
def test_cells_of_a_card(name: str, found: dict[str, dict[str, object]]) -> None:
    for cell, wanted in READ[name].items():
        assert msgspec.json.decode(msgspec.json.encode(found[name][cell])) == wanted, cell
    assert set(found[name]) == set(READ[name])
