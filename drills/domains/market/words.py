"""Words of this domain: what its counts and reasons are called, in English and Japanese."""

from __future__ import annotations

from collections.abc import Mapping

from drills.judge.text import Text, counted

COUNTS: Mapping[str, Text] = {
    "market.wrongly-refused": counted(
        "orders refused for a price that the market did not have", "実勢と異なる価格を理由に拒否された注文"
    ),
}

WORDS: Mapping[str, Text] = {**COUNTS}
