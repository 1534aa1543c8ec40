"""What voids the runs that the gates have on file: what decides how they go, and no sentence."""

from __future__ import annotations

import pytest

from tests.gates.gates import ROOT, code_hash, decides, without_sentences


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("drills/judge/score.py", True),
        ("drills/catalogue/night-batch-lock/drill.yaml", True),
        ("drills/catalogue/steps.yaml", True),
        ("drills/catalogue/runbooks/first-look.yaml", True),
        ("targets/brokerage/schema.sql", True),
        ("drills/catalogue/exchange-link-down/drill.yaml", False),
        ("drills/examples/datasette/drill.yaml", False),
        ("drills/domains/orders/words.py", False),
        ("faults/README.md", False),
    ],
)
def test_what_has_a_say_in_the_night(name: str, counts: bool) -> None:
    assert (ROOT / name).is_file()
    assert decides(name, "night-batch-lock") == counts


def test_a_sentence_or_a_comment_changes_nothing_and_code_does() -> None:
    bare = b"def f():\n    return 1\n\nX = 2\n"
    told = b'"""Of it."""\n\ndef f():\n    """One."""\n    return 1  # as ever\n\nX = 2\n"""Two."""\n'
    assert without_sentences(bare) == without_sentences(told)
    assert without_sentences(bare) != without_sentences(bare.replace(b"2", b"3"))


def test_each_drill_has_its_own() -> None:
    assert code_hash("night-batch-lock") != code_hash("exchange-link-down")
