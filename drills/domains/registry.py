"""The domains: a new one is a folder and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from drills.domains.cash import words as cash
from drills.domains.figures import words as figures
from drills.domains.night import words as night
from drills.domains.notices import words as notices
from drills.domains.orders import words as orders
from drills.domains.repairs import words as repairs
from drills.judge.text import Text

WORDS: tuple[Mapping[str, Text], ...] = (
    cash.WORDS, orders.WORDS, notices.WORDS, figures.WORDS, night.WORDS, repairs.WORDS,
)  # fmt: skip
"""What the counts and reasons of each domain are called; no id is in two of them."""
