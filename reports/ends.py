"""What ended a run early, in Japanese: ``run.json`` has it in English, for it was said to a person at once."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reports.texts import Lang

SENTENCES: Sequence[tuple[str, str]] = (
    (r"stopped by Ctrl-C", "Ctrl-C による中断"),
    (r"stopped by SIGTERM", "SIGTERM による停止"),
    (r"everything was undone", "障害はすべて解除済み"),
    (r"(.+) did not get healthy within ([\d.]+) s", r"\1 が \2 s 以内に正常にならなかった"),
    (r"(.+) ended while starting", r"\1 が起動中に終了した"),
    (r"it left no log", "ログなし"),
    (r"its log ends: (.+)", r"ログの末尾: \1"),
    (r"log-in of (\S+): (.+)", r"\1 のログイン失敗: \2"),
)
"""Patterns of a whole part, and what they are in Japanese. A part that nobody has translated stays as it is."""

_PATTERNS = [(re.compile(rf"{pattern}\Z"), ja) for pattern, ja in SENTENCES]


def ended(lang: Lang, words: str) -> str:
    """The words in the language asked for."""
    return words if lang == "en" else "。".join(map(_japanese, words.split("; ")))


def _japanese(part: str) -> str:
    for pattern, ja in _PATTERNS:
        if match := pattern.match(part):
            return match.expand(ja)
    return part
