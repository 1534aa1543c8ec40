"""Words of this domain: what its counts are called, in English and Japanese."""

from __future__ import annotations

from collections.abc import Mapping

from drills.judge.text import Text, counted

WORDS: Mapping[str, Text] = {
    "withdrawals.paid-twice": counted("payments beyond what was asked for", "依頼を超えて支払われた出金"),
    "withdrawals.reversed-but-paid": counted(
        "withdrawals given back that the bank has paid", "取り消されたが銀行が支払済みの出金"
    ),
    "withdrawals.completed-but-not-paid": counted(
        "withdrawals completed that the bank has not paid", "完了としたが銀行が支払っていない出金"
    ),
    "withdrawals.paid-beyond": counted(
        "payments of which the brokerage has no withdrawal", "社内に対応する出金のない支払"
    ),
    "withdrawals.money-off": counted(
        "accounts whose withdrawals differ from what the bank paid", "出金額が銀行の支払額と異なる口座"
    ),
    "withdrawals.missing": counted("withdrawals told to customers that are in no book", "帳簿にない受付済み出金"),
    "withdrawals.unknown": counted("withdrawals unknown at the end", "終了時点で状態不明の出金"),
    "withdrawals.untraced": counted("payments under a reference that no log has", "通信ログに照会番号のない支払"),
    "withdrawals.untold": counted(
        "withdrawals in doubt whose customer was not told the true end", "正しい結果を知らされていない状態不明の出金"
    ),
    "left.withdrawals": counted("withdrawals still unknown", "状態不明のままの出金"),
}
