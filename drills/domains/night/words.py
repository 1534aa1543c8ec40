"""Words of this domain: what its counts and reasons are called, in English and Japanese."""

from __future__ import annotations

from collections.abc import Mapping

from drills.judge.text import Text, counted

COUNTS: Mapping[str, Text] = {
    "night.jobs-undone": counted("jobs not done", "完了していないジョブ"),
    "night.jobs-again": counted("jobs done again", "重複して実行されたジョブ"),
    "night.jobs-early": counted("jobs begun before those they need were done", "先行ジョブの完了前に開始したジョブ"),
    "night.jobs-counts": counted("jobs whose counts do not add up", "件数が一致しないジョブ"),
    "night.jobs-idle": counted("jobs done on nothing", "対象ゼロ件で完了したジョブ"),
    "night.variations-again": counted(
        "variations beyond the first of an account and day", "同一口座・同一日の重複した値洗い"
    ),
    "night.variations-other-day": counted("variations of another day", "対象日の異なる値洗い"),
    "night.no-variation": counted("accounts without a variation", "値洗いのない口座"),
    "night.gate-early": counted("gates passed before all other jobs were done", "先行ジョブの完了前に通過した開局判定"),
    "night.gate-late": counted("gates not passed by the opening", "寄付きまでに完了していない開局判定"),
    "night.services-closed": counted("services closed at the opening", "寄付き時点で停止中のサービス"),
}

REASONS: Mapping[str, Text] = {
    "night.no-list": Text("the world's calendar does not say which jobs must run", "暦に必須ジョブの定義がない"),
    "night.ended-before": Text(
        "the observation ended {seconds} s before the opening with {jobs} not done",
        "寄付きの {seconds} s 前に観測を終了し、{jobs} は未完了",
    ),
    "night.ended-no-opening": Text(
        "the observation ended at no known time before the opening with {jobs} not done",
        "寄付き時刻が不明のまま観測を終了し、{jobs} は未完了",
    ),
    "night.no-night": Text("the world's calendar knows of no night", "暦に夜間処理の定義がない"),
    "night.no-opening": Text("the world's calendar does not say when the opening is", "暦に寄付き時刻の定義がない"),
    "night.gate-passed": Text(
        "the gate was passed {seconds} s before the opening", "開局判定は寄付きの {seconds} s 前に完了"
    ),
}

WORDS: Mapping[str, Text] = {**COUNTS, **REASONS}
