"""Words of this domain: what its counts and reasons are called, in English and Japanese."""

from __future__ import annotations

from collections.abc import Mapping

from drills.judge.text import Text, counted

COUNTS: Mapping[str, Text] = {
    "numbers.shared": counted("orders under a number of another live order", "他の有効注文と番号が重複した注文"),
    "numbers.differing": counted(
        "orders with another number or other terms at the exchange", "取引所側で番号または条件が異なる注文"
    ),
    "numbers.backwards": counted("orders whose number went back", "番号が逆行した注文"),
    "numbers.not-taken": counted("orders the exchange would not take", "取引所に受け付けられなかった注文"),
    "numbers.no-headroom": counted("counters without room for a minute", "1分以内に上限へ達する採番カウンター"),
}

REASONS: Mapping[str, Text] = {
    "numbers.never-seen": Text("the counter was never looked at", "採番カウンターが一度も確認されていない"),
    "numbers.no-alert": Text(
        "the last number was given before any alert that names the cause", "原因を示す警報より前に番号を使い切った"
    ),
    "numbers.lead": Text("an alert came {seconds} s before the last number", "最後の番号の {seconds} s 前に警報"),
}

WORDS: Mapping[str, Text] = {**COUNTS, **REASONS}
