"""Words of this domain: what its counts and reasons are called, in English and Japanese."""

from __future__ import annotations

from collections.abc import Mapping

from drills.judge.text import Text, counted

COUNTS: Mapping[str, Text] = {
    "congestion.unknown-ticket": counted("tickets that were never given", "発行記録のない整理券"),
    "congestion.given-twice": counted("tickets given twice", "二重に発行された整理券"),
    "congestion.let-in-twice": counted("tickets let in twice", "二重に入場した整理券"),
    "congestion.overtaken": counted("customers overtaken in the waiting room", "待合室で追い越された顧客"),
    "left.room": counted("waiting rooms still open", "開設されたままの待合室"),
}

REASONS: Mapping[str, Text] = {
    "congestion.no-alert": Text(
        "customers gave up before any alert that names the cause", "原因を示す警報より前に顧客が断念した"
    ),
    "congestion.lead": Text(
        "an alert came {seconds} s before the first customer gave up", "最初の顧客が断念する {seconds} s 前に警報"
    ),
}

WORDS: Mapping[str, Text] = {**COUNTS, **REASONS}
