"""Words of this domain: what its counts and reasons are called, in English and Japanese."""

from __future__ import annotations

from collections.abc import Mapping

from drills.judge.text import Text, counted

COUNTS: Mapping[str, Text] = {
    "repairs.unexplained": counted("repairs without reason, request or approver", "理由・依頼者・承認者のない修正"),
    "repairs.self-approved": counted("repairs approved by who asked for them", "依頼者自身が承認した修正"),
    "repairs.not-as-stated": counted("repairs that were not posted as stated", "申請どおりに記帳されていない修正"),
    "repairs.unasked": counted("corrections posted that nobody asked for", "依頼のない修正記帳"),
    "repairs.unposted": counted("balances changed without a posting", "記帳なしに変更された残高"),
}

WORDS: Mapping[str, Text] = {**COUNTS}
