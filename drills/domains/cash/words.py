"""Words of this domain: what its counts and reasons are called, in English and Japanese."""

from __future__ import annotations

from collections.abc import Mapping

from drills.judge.text import Text, counted

COUNTS: Mapping[str, Text] = {
    "cash.unbalanced": counted("postings unbalanced", "貸借が一致しない記帳"),
    "cash.balances-off": counted("balances off", "記帳の合計と一致しない残高"),
    "cash.no-balance": counted("accounts without a balance", "残高のない口座"),
}

WORDS: Mapping[str, Text] = {**COUNTS}
