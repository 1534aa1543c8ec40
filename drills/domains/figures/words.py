"""Words of this domain: what its counts and reasons are called, in English and Japanese."""

from __future__ import annotations

from collections.abc import Mapping

from drills.judge.text import Text, counted

COUNTS: Mapping[str, Text] = {
    "figures.wrong-at-end": counted("figures wrong at the end", "終了時点の誤表示"),
    "figures.balances-off": counted("balances differ from the exchange's book", "取引所の帳簿と異なる残高"),
    "figures.balances-off-in-night": counted(
        "balances differ from the books of exchange and bank and the night's variation",
        "取引所・銀行の帳簿および夜間値洗いと異なる残高",
    ),
    "figures.acted-on": counted("actions on a wrong figure", "誤った表示に基づく行動"),
    "figures.acted-on-after-first-step": counted(
        "actions after the first step on a wrong figure", "最初の手順より後の、誤った表示に基づく行動"
    ),
    "left.balances": counted("balances still marked not current", "「最新ではない」表示のままの残高"),
}

REASONS: Mapping[str, Text] = {
    "figures.no-balance-in-book": Text("the target's book holds no balance", "対象システムの帳簿に残高がない"),
    "figures.balances-undecidable": Text(
        "of {n} of {of} balances nobody can tell what they should be", "あるべき額を判定できない残高 {n}/{of} 件"
    ),
    "figures.acts-undecidable": Text(
        "{n} actions on figures that nobody can decide", "正誤を判定できない表示に基づく行動 {n} 件"
    ),
    "figures.acts-undecidable-after-first-step": Text(
        "{n} actions after the first step on figures that nobody can decide",
        "最初の手順より後の、正誤を判定できない表示に基づく行動 {n} 件",
    ),
}

WORDS: Mapping[str, Text] = {**COUNTS, **REASONS}
