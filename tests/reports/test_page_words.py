"""Words of the page: in both languages with the same places, in the right script, and each of them used."""

from __future__ import annotations

import re
import string
from pathlib import Path

from reports.pages.words import EN, JA

JAPANESE = re.compile(r"[぀-ヿ一-鿿]")
PAGES = Path(__file__).parents[2] / "reports" / "pages"
SOURCES = "\n".join(
    file.read_text()
    for file in sorted(PAGES.rglob("*"))
    if file.suffix in (".py", ".html") and not file.name.startswith("words")
)
SAME = {"seed"}
"""What is called alike in both."""
LABELS = ("severity.", "layer.")
"""Of an alert: what its label is called comes first."""


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def without_places(text: str) -> str:
    return re.sub(r"\{\w+\}", "", text)


def test_both_languages_have_the_same_keys_in_the_same_order() -> None:
    assert list(EN) == list(JA)


def test_each_has_the_same_places_in_both() -> None:
    assert [key for key in EN if places(EN[key]) != places(JA[key])] == []


def test_each_is_in_its_own_script() -> None:
    assert [key for key in EN if JAPANESE.search(EN[key])] == []
    plain = [key for key in JA if not JAPANESE.search(JA[key]) and re.search("[A-Za-z]{2}", without_places(JA[key]))]
    assert set(plain) <= SAME


def test_each_is_used() -> None:
    """By its name, or as one of a family: the part before one of its dots, and a name put together."""
    assert [key for key in EN if not _is_used(key)] == []


def _is_used(key: str) -> bool:
    heads = [key[: at + 1] for at, letter in enumerate(key) if letter == "."]
    made = any(f"f{quote}{head}{{" in SOURCES or f'"{head}" ~' in SOURCES for head in heads for quote in "\"'")
    return f'"{key}"' in SOURCES or made or key.startswith(LABELS)
