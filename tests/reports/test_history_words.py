"""Words of history, register and findings: both languages, the same places, every key used and every used key there."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from reports.history_words import WORDS

ROOT = Path(__file__).parents[2]
JAPANESE = re.compile(r"[぀-ヿ一-鿿]")
SOURCES = "\n".join(
    file.read_text()
    for folder in (ROOT / "reports", ROOT / "drills" / "commands", ROOT / "drills" / "findings")
    for file in folder.glob("*.py")
    if file.name != "history_words.py" and "calendar_words import say as words" not in file.read_text()
)


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_with_the_same_places(key: str) -> None:
    text = WORDS[key]
    assert places(text.en) == places(text.ja)
    assert not JAPANESE.search(text.en)
    assert JAPANESE.search(text.ja) or not re.search(r"[a-z]{3,}", re.sub(r"\{[^}]*\}", "", text.en)), text


@pytest.mark.parametrize("key", WORDS)
def test_every_key_is_used(key: str) -> None:
    prefix, _, _ = key.rpartition(".")
    assert f'"{key}"' in SOURCES or f"'{key}'" in SOURCES or f'f"{prefix}.{{' in SOURCES or f"f'{prefix}.{{" in SOURCES


def test_every_key_that_is_used_is_there() -> None:
    used = set(re.findall(r'words\([a-z_.]+, "([a-z.-]+)"', SOURCES))
    assert used
    assert used <= WORDS.keys()
