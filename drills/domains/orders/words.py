"""Words of this domain: what its counts and reasons are called, in English and Japanese."""

from __future__ import annotations

from collections.abc import Mapping

from drills.judge.text import Text, counted

COUNTS: Mapping[str, Text] = {
    "orders.lost": counted("acknowledged orders lost", "受付済み注文の消失"),
    "orders.forgotten": counted("acknowledged orders unknown to the brokerage", "社内システムに存在しない受付済み注文"),
    "orders.unaware": counted(
        "orders at the exchange unknown to the brokerage", "社内システムに存在しない取引所側の注文"
    ),
    "orders.phantom": counted(
        "orders at the exchange never asked for or refused", "顧客の指図がない、または拒否と回答した取引所側の注文"
    ),
    "orders.altered-at-exchange": counted(
        "orders at the exchange on other terms than asked", "取引所側で条件が指図と異なる注文"
    ),
    "orders.altered-at-brokerage": counted(
        "orders at the brokerage on other terms than asked", "社内システムで条件が指図と異なる注文"
    ),
    "orders.misjudged": counted("orders the brokerage misjudges", "社内システムの状態が取引所と食い違う注文"),
    "orders.unresolved": counted("orders the customer never learned the end of", "顧客に結果が伝わっていない注文"),
    "orders.stuck": counted("orders stuck in a passing state", "処理途中のまま滞留した注文"),
    "executions.unposted": counted("executions at the exchange not posted", "未記帳の約定"),
    "executions.unknown": counted("posted executions unknown to the exchange", "取引所に存在しない記帳済み約定"),
    "executions.differing": counted("posted executions differ from the exchange's", "取引所と内容が異なる記帳済み約定"),
    "executions.misfilled": counted("orders filled by more or less than was posted", "約定数量が記帳と一致しない注文"),
    "orders.twice-at-exchange": counted("orders twice at the exchange", "取引所での二重注文"),
    "orders.twice-at-brokerage": counted("orders twice at the brokerage", "社内システムでの二重注文"),
    "executions.posted-twice": counted("executions posted twice", "二重記帳された約定"),
    "executions.legs-twice": counted("customer legs posted twice", "顧客口座への二重計上"),
    "executions.notified-twice": counted("executions notified twice", "二重通知された約定"),
    "orders.beyond-means": counted("accounts that bought more than they can pay", "買付余力を超えて発注した口座"),
    "left.orders": counted("orders still in a passing state", "処理途中のままの注文"),
    "left.executions": counted("executions not posted", "未記帳の約定"),
}

WORDS: Mapping[str, Text] = {**COUNTS}
