"""Words of this domain: what its counts and reasons are called, in English and Japanese."""

from __future__ import annotations

from collections.abc import Mapping

from drills.judge.text import Text, counted

COUNTS: Mapping[str, Text] = {
    "notices.missing": counted("executions without notice", "通知のない約定"),
    "notices.repeated": counted("notices repeated", "重複した通知"),
    "notices.misdirected": counted("notices to a wrong account", "誤った口座への通知"),
    "notices.invented": counted("notices of no execution", "約定の裏付けがない通知"),
    "left.notices": counted("notices not sent", "未送信の通知"),
}

WORDS: Mapping[str, Text] = {**COUNTS}
