"""Words of this domain: what its counts and reasons are called, in English and Japanese."""

from __future__ import annotations

from collections.abc import Mapping

from drills.judge.text import Text, counted

COUNTS: Mapping[str, Text] = {
    "spool.no-headroom": counted("spools of notices without room for a minute", "1分以内に満杯となる通知スプール"),
}

REASONS: Mapping[str, Text] = {
    "spool.never-seen": Text(
        "the spool was never looked at, or has no limit", "通知スプールの確認記録、または上限がない"
    ),
    "spool.no-alert": Text(
        "a notice did not fit before any alert that names the cause", "原因を示す警報より前に通知スプールが満杯になった"
    ),
    "spool.lead": Text(
        "an alert came {seconds} s before the spool was full", "通知スプールが満杯になる {seconds} s 前に警報"
    ),
}

WORDS: Mapping[str, Text] = {**COUNTS, **REASONS}
