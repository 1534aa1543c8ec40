"""Words of this domain: what its counts and reasons are called, in English and Japanese."""

from __future__ import annotations

from collections.abc import Mapping

from drills.judge.text import Text, counted

COUNTS: Mapping[str, Text] = {
    "log.unlogged": counted("accepted requests that stand in no line", "取引ログに記録のない受付済み要求"),
    "log.missing": counted("numbers of the log that no whole line has", "取引ログの欠番"),
    "log.repeated": counted("numbers of the log given twice", "取引ログの重複番号"),
    "log.beyond": counted("files with numbers above the high-water mark", "最高番号の記録を超える番号を含むファイル"),
    "log.damaged": counted("lines of the log that are not whole", "取引ログの破損行"),
    "log.full": counted("volumes more than 70 % full", "使用率が70%を超えるボリューム"),
    "log.soon-full": counted("volumes that will be full within a minute", "1分以内に枯渇する見込みのボリューム"),
}

REASONS: Mapping[str, Text] = {
    "log.no-mark": Text("the book has no high-water mark", "取引ログの最高番号の記録がない"),
    "log.no-alert": Text("refused before any alert that names the cause", "原因を示す警報より前に記録不能となった"),
    "log.lead": Text("an alert came {seconds} s before the first refusal", "記録不能の {seconds} s 前に警報"),
    "log.no-volume": Text("no volume was limited in size", "容量を制限したボリュームがない"),
}

WORDS: Mapping[str, Text] = {**COUNTS, **REASONS}
