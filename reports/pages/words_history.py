"""What the page of the history says, in English and Japanese."""

from __future__ import annotations

from collections.abc import Mapping

EN: Mapping[str, str] = {
    "history.title": "The history of drills",
    "history.numbers": "Where we stand",
    "history.passed": "Drills that passed last time",
    "history.passed.sub": "by their last run",
    "history.open": "Open findings",
    "history.open.sub": "neither closed by retests nor accepted",
    "history.late": "Late findings",
    "history.late.sub": "overdue, nobody's, or acceptance lapsed",
    "history.runs": "Runs",
    "history.runs.sub": "with a card, of the arms shown",
    "history.lost": "Started, no card",
    "history.lost.sub": "thrown away, or never ended",
    "history.lost.text": "The register has these runs; their cards are not there.",
    "history.lost.more": "and {n} more: kunren trend --json has them",
    "history.findings": "Who must do what by when",
    "history.findings.none": "No finding is open.",
    "history.findings.no-file": "There is no file of findings: kunren findings sync makes one.",
    "history.accepted": "Risks that were accepted:",
    "history.drills": "The drills, the worst first",
    "history.drills.text": "Medians of the runs since the last change that makes them incomparable, with their "
    "95 % interval. In the line: a point a run, red where one failed, a bar for the median, the limit "
    "dashed, an upright where something changed.",
    "history.line": "recoveries, oldest first",
    "history.alt": "{n} runs; median recovery now {recover}, limit {limit}",
    "history.calendar": "Drills that were due",
    "history.covered": "Where the scenarios come from",
    "history.source": "source",
    "history.source.drills": "drills, with the verdict of the last run",
    "history.family": "kind of fault",
    "history.no-phase": "no business day",
    "history.phases": "Drills by kind of fault and phase of the business day. An empty cell is a fault that was not "
    "drilled in that phase.",
    "history.read": "How to read this",
    "history.warning": "Sources named on drills trace where scenarios come from. The supervisor's own texts "
    "warn against using such lists as a checklist: they do not show readiness.",
}

JA: Mapping[str, str] = {
    "history.title": "訓練の履歴",
    "history.numbers": "現状",
    "history.passed": "直近の実施で合格した訓練",
    "history.passed.sub": "各訓練の最後の実施による",
    "history.open": "未解決の指摘事項",
    "history.open.sub": "再試験による完了も受容もされていないもの",
    "history.late": "対応が遅れている指摘事項",
    "history.late.sub": "期限超過、担当・期限未定、受容期限切れ",
    "history.runs": "実施件数",
    "history.runs.sub": "表示対象のうち判定結果があるもの",
    "history.lost": "開始の記録のみ（判定結果なし）",
    "history.lost.sub": "記録の削除または未終了",
    "history.lost.text": "登録簿に開始の記録があり、判定結果が残っていない実施である。",
    "history.lost.more": "ほか {n} 件（kunren trend --json を参照）",
    "history.findings": "誰が、何を、いつまでに",
    "history.findings.none": "未解決の指摘事項はない。",
    "history.findings.no-file": "指摘事項のファイルがない（kunren findings sync で作成する）。",
    "history.accepted": "受容されたリスク:",
    "history.drills": "訓練（問題の大きい順）",
    "history.drills.text": "直近の条件変更以降の実施の中央値と 95 % 区間。図は 1 点が 1 回の実施で、赤は不合格"
    "、横線は中央値、破線は上限、縦線は条件の変更を示す。",
    "history.line": "復旧時間の推移（左が過去）",
    "history.alt": "実施 {n} 件、復旧時間の中央値は現在 {recover}、上限 {limit}",
    "history.calendar": "訓練計画の実施状況",
    "history.covered": "想定の由来",
    "history.source": "出典",
    "history.source.drills": "訓練（記号は直近の判定）",
    "history.family": "障害の種類",
    "history.no-phase": "業務日区分なし",
    "history.phases": "障害の種類と業務日区分ごとの訓練数。空欄はその区分では訓練していない障害を示す。",
    "history.read": "読み方",
    "history.warning": "訓練に記した出典は、想定の由来をたどるためのものである。監督当局の文書も、こうした一覧"
    "をチェックリストとして用いることを戒めており、備えの十分さを示すものではない。",
}
