"""Words of the history of drills, of the register and of findings, in English and Japanese."""

from __future__ import annotations

from collections.abc import Mapping

from drills.judge.text import Text
from reports.texts import Lang

WORDS: Mapping[str, Text] = {
    "trend.title": Text(
        "{runs} runs of {drills} drills, the worst first", "訓練 {drills} 種、実施 {runs} 件（問題の大きい順）"
    ),
    "trend.none": Text("no run with a card in {folder}", "{folder} に判定済みの実施記録はない"),
    "trend.last": Text("last run", "直近の結果"),
    "trend.passed": Text("passed", "合格"),
    "trend.recover": Text("recovered in (median)", "復旧時間（中央値）"),
    "trend.limit": Text("limit", "上限"),
    "trend.median": Text("{value} [{low}–{high}], {n} runs", "{value} [{low}–{high}]（{n} 件）"),
    "trend.median.few": Text("{value}, {n} runs, too few for an interval", "{value}（{n} 件、区間推定には不足）"),
    "trend.median.one": Text("{value}, 1 run", "{value}（1 件）"),
    "trend.median.open": Text("{value} [{low}–not at all], {n} runs", "{value} [{low}–未復旧]（{n} 件）"),
    "trend.never": Text("not recovered", "未復旧"),
    "trend.never.of": Text("{never} of {n} not recovered", "{n} 件中 {never} 件が未復旧"),
    "trend.since": Text(
        "since {at}: {what} changed; before: {before}", "{at} から条件変更（{what}）。変更前は {before}"
    ),
    "trend.more": Text("{n} earlier changes: --json has them", "これ以前の条件変更 {n} 回は --json を参照"),
    "trend.level": Text(
        "recoveries since {at} at another level, though nothing recorded has changed: {before} before, {after} since",
        "{at} 以降、記録上の条件は同じまま復旧時間の水準が変化（{before} から {after} へ）",
    ),
    "trend.calendar": Text(
        "calendar: {done} of {due} dates that were due were done whole",
        "訓練計画: 予定 {due} 回のうち実施完了 {done} 回",
    ),
    "trend.calendar.item": Text("{of} {entry}: {why}", "{of} {entry}: {why}"),
    "trend.calendar.no-reason": Text("not all of its runs took place", "一部の実施が行われていない"),
    "trend.human": Text("a person", "人が対応"),
    "trend.nobody": Text("nobody acts", "対応者なし"),
    "trend.pace": Text("at a person's pace", "人の速度"),
    "trend.cannot-judge": Text("cannot judge", "判定不能"),
    "trend.others": Text(
        "not shown: {what} (--arm ARM, or --arm all)",
        "ほかの実行条件は省略: {what}（--arm ARM または --arm all で表示）",
    ),
    "trend.others.item": Text("{arm} {n}", "{arm} {n} 件"),
    "trend.lost-card": Text("started, no card: {n}", "開始の記録のみで判定結果なし: {n} 件"),
    "trend.lost-card.item": Text("{run}  by {who}: {what}", "{run}  実施者 {who}: {what}"),
    "trend.lost-card.thrown": Text(
        "thrown away; the register says {verdict}", "記録が削除されている。登録簿上の結果は{verdict}"
    ),
    "trend.lost-card.open": Text("no end on record", "終了の記録なし"),
    "trend.lost-card.more": Text("and {n} more", "ほか {n} 件"),
    "trend.unread": Text(
        "{n} cards cannot be read; the first: {run}: {why}", "読めない判定結果: {n} 件（{run}: {why} など）"
    ),
    "trend.unregistered": Text("{n} runs are not in the register", "登録簿にない実施記録: {n} 件"),
    "trend.register.holds": Text("register: the chain holds", "登録簿: 連鎖に異常なし"),
    "trend.register.broken": Text(
        "register: THE CHAIN IS BROKEN: kunren runs verify", "登録簿: 連鎖に異常あり。kunren runs verify で確認のこと"
    ),
    "trend.register.none": Text("register: there is none", "登録簿: なし"),
    "trend.note": Text(
        "A robot's times on a model say how the runbook works there; they say nothing of your production.",
        "模擬環境での自動実行の時間は手順書の働きを示すものであり、本番環境の復旧能力を示すものではない。",
    ),
    "break.drill": Text("the drill", "訓練の定義"),
    "break.limits": Text("its limits", "上限値"),
    "break.runbook": Text("the runbook", "手順書"),
    "break.rules": Text("the rules of scoring", "判定規則"),
    "break.version": Text("the version of kunren", "kunren のバージョン"),
    "break.machine": Text("the machine", "実行機"),
    "break.compression": Text("the compression of time", "時間圧縮率"),
    "break.reaction": Text("the robot's reaction", "自動対応の反応時間"),
    "trend.graded": Text("{verdict} ({grade})", "{verdict}（{grade}）"),
    "runs.run": Text("run", "実施記録"),
    "runs.verdict": Text("verdict", "判定"),
    "runs.at": Text("date", "実施日"),
    "runs.no-card": Text("started, no card", "開始の記録のみ"),
    "findings.none": Text("no open finding", "未解決の指摘事項はない"),
    "findings.summary": Text(
        "{open} open, {late} of them late; {accepted} accepted, {closed} closed",
        "未解決 {open} 件（うち期限超過など {late} 件）、リスク受容 {accepted} 件、完了 {closed} 件",
    ),
    "findings.id": Text("finding", "指摘事項"),
    "findings.state": Text("state", "状態"),
    "findings.severity": Text("severity", "重要度"),
    "findings.what": Text("what failed", "内容"),
    "findings.owner": Text("owner", "担当"),
    "findings.due": Text("due", "期限"),
    "findings.seen": Text("seen", "発生"),
    "findings.times": Text("{n}×, last {date}", "{n} 回、直近 {date}"),
    "findings.times.again": Text("{n}×, last {date}, came back {again}×", "{n} 回、直近 {date}、再発 {again} 回"),
    "findings.loosened": Text("limit loosened: {about}", "上限値の緩和: {about}"),
    "findings.by-hand": Text("by a person", "人が対応"),
    "findings.first": Text("first seen", "初回"),
    "findings.last": Text("last seen", "直近"),
    "findings.detail": Text("detail", "詳細"),
    "findings.ticket": Text("ticket", "チケット"),
    "findings.cause": Text("root cause", "根本原因"),
    "findings.note": Text("note", "備考"),
    "findings.accepted": Text("accepted", "リスク受容"),
    "findings.accepted.by": Text(
        "by {approver} on {since}, until {until}: {reason}",
        "承認者 {approver}、{since}〜{until}。理由: {reason}",
    ),
    "findings.closed": Text("closed", "完了"),
    "findings.closed.by": Text("{date}, by {runs}", "{date}（根拠: {runs}）"),
    "findings.recurred": Text("came back", "再発"),
    "findings.retests": Text("retests", "再試験"),
    "findings.attempt": Text("{date} {run}: {result}", "{date} {run}: {result}"),
    "findings.needed": Text(
        "{n} of {needed} passes in a row so far: kunren findings retest {id}",
        "連続合格 {n}/{needed} 回。再試験: kunren findings retest {id}",
    ),
    "findings.new": Text("new: {what}", "新規: {what}"),
    "findings.seen-again": Text("seen again: {what}", "再確認: {what}"),
    "findings.reopened": Text("came back, open again: {what}", "再発により再開: {what}"),
    "findings.closed-now": Text("closed: {what}", "完了: {what}"),
    "findings.unchanged": Text("nothing new", "変更なし"),
    "findings.retest.begins": Text(
        "{drill} {arm}: up to {runs} runs with drawn seeds, for {ids}",
        "{drill} {arm}: 無作為シードで最大 {runs} 回実施（対象 {ids}）",
    ),
    "findings.retest.result": Text(
        "retest {run}: {result}, {n} of {needed} in a row", "再試験 {run}: {result}（連続 {n}/{needed}）"
    ),
    "findings.late": Text("{n} findings are late", "対応が遅れている指摘事項: {n} 件"),
    "findings.late.none": Text("no finding is late on {date}", "{date} 時点で対応の遅れはない"),
    "state.open": Text("open", "未解決"),
    "state.accepted": Text("accepted", "リスク受容"),
    "state.closed": Text("closed", "完了"),
    "state.overdue": Text("OVERDUE", "期限超過"),
    "state.lapsed": Text("ACCEPTANCE LAPSED", "受容期限切れ"),
    "state.unowned": Text("NOBODY'S", "担当・期限未定"),
    "severity.critical": Text("critical", "重大"),
    "severity.high": Text("high", "高"),
    "severity.medium": Text("medium", "中"),
    "result.pass": Text("passed", "合格"),
    "result.fail": Text("failed", "不合格"),
    "result.no-card": Text("started, no card", "判定結果なし"),
    "result.cut-short": Text("ended by hand", "人手による中断"),
    "result.unknown": Text("cannot tell", "判定できず"),
    "result.cannot-judge": Text("cannot judge, does not count", "判定不能（算入せず）"),
    "result.limits-looser": Text("passed under looser limits, does not count", "緩和された上限値での合格（算入せず）"),
    "result.reaction-quicker": Text(
        "passed with a quicker reaction, does not count", "反応時間を短縮しての合格（算入せず）"
    ),
    "verdict.pass": Text("passed", "合格"),
    "verdict.fail": Text("failed", "不合格"),
    "verdict.unknown": Text("cannot judge", "判定不能"),
    "verdict.invalid": Text("cannot judge", "判定不能"),
}
"""Key -> words. Places are filled in by name."""


def verdict_words(lang: Lang, verdict: str) -> str:
    """A verdict in words; one of a later version stands for itself."""
    key = f"verdict.{verdict}"
    return words(lang, key) if key in WORDS else verdict


def words(lang: Lang, key: str, **values: object) -> str:
    """The words of ``key`` in the language asked for; KeyError for a key that is not there."""
    text = WORDS[key]
    return (text.ja if lang == "ja" else text.en).format(**values)
