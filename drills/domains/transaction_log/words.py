"""Words of this domain: what its counts and reasons are called, in English and Japanese."""

from __future__ import annotations

from collections.abc import Mapping

from drills.judge.text import Text, counted

WORDS: Mapping[str, Text] = {
    "log.unlogged": counted("accepted orders without a line in the log", "取引ログに記録のない受付済み注文"),
    "log.missing-numbers": counted("numbers of the log on no line", "取引ログの欠番"),
    "log.torn-lines": counted("lines of the log that are not whole", "取引ログの破損行"),
    "log.no-limit": Text(
        "cannot tell: the log's volume is an ordinary folder here", "判定できない（ログ領域に容量制限がない）"
    ),
    "log.no-mark": Text("cannot tell: nobody noted the highest number", "判定できない（最大番号の控えがない）"),
    "log.used": Text("{percent} % of its {of} taken", "{of} 使用率 {percent} %"),
    "log.full-in": Text("full in {seconds} s at the last pace", "直近のペースで {seconds} s 後に枯渇"),
    "log.no-alert": Text("refused before any alert that names the cause", "原因を示す警報より前に記録不能となった"),
    "log.lead": Text("an alert came {seconds} s before the first refusal", "記録不能の {seconds} s 前に警報"),
}
