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
    "verdict.pass": Text("passed", "合格"),
    "verdict.fail": Text("failed", "不合格"),
    "verdict.unknown": Text("cannot judge", "判定不能"),
    "verdict.invalid": Text("cannot judge", "判定不能"),
}
"""Key -> words. Places are filled in by name."""


def words(lang: Lang, key: str, **values: object) -> str:
    """The words of ``key`` in the language asked for; KeyError for a key that is not there."""
    text = WORDS[key]
    return (text.ja if lang == "ja" else text.en).format(**values)
