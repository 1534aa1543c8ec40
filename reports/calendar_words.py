"""What the calendar of drills says, in English and Japanese: why a date is not, its state, messages to receivers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from drills.record.dates import Reason
from reports.texts import Lang

EN: Mapping[str, str] = {
    "why.weekend": "weekend",
    "why.holiday": "holiday",
    "why.own-holiday": "own holiday",
    "why.business-day": "a business day, and it is for the others",
    "why.calendar-unknown": "the calendar {calendar} does not know {year} yet: update exchange_calendars",
    "why.window": "no window that day",
    "why.window-short": "{left} min left in the window, it takes {takes} min",
    "why.blackout": "blackout: {words}",
    "why.moved": "moved from {of} ({why})",
    "why.coincides": "{why}; it takes place on {day} already",
    "why.after": "begins when {entry} has ended",
    "why.taken": "{entry} takes the rest of the window",
    "why.budget": "budget of the {period}: {spent} of {limit} min are planned, it takes {takes} min",
    "why.left-out": "{at} does not exist that day: the clocks are put on",
    "why.twice": "{at} comes twice that day: the first is meant",
    "why.nobody-looked": "nobody looked in time: the machine slept, was off, or its timer stood still",
    "why.changed": "the schedule was changed when it was due already",
    "why.changed-before": "the schedule was changed before it was due",
    "why.died": "the look at the calendar that carried it out died",
    "why.busy": "the machine was busy: {holders}",
    "why.refused": "refused to start: {message}",
    "why.window-over": "the window was over before all runs had taken place",
    "why.stopped": "stopped: {how}",
    "why.not-told": "not told: {problem}",
    "period.day": "day",
    "period.week": "week",
    "period.month": "month",
    "state.planned": "planned",
    "state.began": "going on",
    "state.ended": "done",
    "state.missed": "missed",
    "state.skipped": "not due",
    "state.withdrawn": "withdrawn",
    "state.postponed": "postponed",
    "weekdays": "Mon Tue Wed Thu Fri Sat Sun",
    "next.head": "Schedule {schedule}, {zone}: {first} to {last}",
    "next.minutes": "≤ {minutes} min",
    "next.not": "no: {why}",
    "next.none": "no date in this time",
    "next.sum": "dates: {n} ({minutes} min at most); not taking place: {not_}",
    "past.none": "nothing is recorded of this time",
    "past.sum": "due: {due}; done: {done}; missed: {missed}",
    "once.nothing": "nothing is due; next: {next}",
    "once.nothing-planned": "nothing is due, and nothing is planned in the next {days} days",
    "once.next": "next: {next}",
    "once.elsewhere": "another look goes on; the next one does what is left",
    "once.begins": "{entry}: {drills}, {minutes} min at most",
    "once.postponed": "{entry} of {of}: the machine is busy ({holders}); the next look tries again, until {latest}",
    "once.missed": "{entry} of {of} was missed: {why}",
    "once.incomplete": "{entry} of {of} is not whole: {why}",
    "once.not-told": "{receiver} could not be told: {problem}",
    "once.told": "{receiver} was told",
    "ran.as-declared": "as declared",
    "ran.not-as-declared": "NOT AS DECLARED",
    "ran.cannot-judge": "CANNOT JUDGE",
    "told.before.title": "Drill begins: {entry}",
    "told.before": "A drill begins now and takes {minutes} min at most. What it breaks on purpose: {target}.",
    "told.after.title": "Drill done: {entry}, as expected",
    "told.finding.title": "Drill found something: {entry}",
    "told.unjudged.title": "Drill without a full result: {entry}",
    "told.missed.title": "Drill missed: {entry} of {of}",
    "told.missed": "The drill of {of} did not take place. Reason: {why}.",
    "told.incomplete": "Not all runs took place. Reason: {why}.",
    "told.run": "{title} ({drill}), {arm}: {verdict}",
    "told.drill": "{title} ({drill}), {arm}",
    "told.red": "not met: {red}",
    "told.cause": "because of: {red}",
    "told.vacuous": "it must not pass: nobody, or a wrong runbook, acts here, so the drill proves nothing",
    "told.grade": "it passed with a lower grade than its drill declares",
    "told.reason": "it must fail, but not because of: {red}",
    "told.where": "card: {run}",
    "told.foot": "Schedule {schedule}. The drills go against {target}.",
    "told.test.title": "kunren: test message",
    "told.test": "Schedule {schedule} can reach you. You will be told: {occasions}.",
    "occasion.before": "before a drill",
    "occasion.after": "after it",
    "occasion.finding": "when it found something",
    "occasion.missed": "when one was missed",
    "target.local": "the mini-brokerage, not your production",
    "target.compose": "the mini-brokerage in containers, not your production",
    "target.other": "the target {target}",
    "ics.about": "{drills}; target {target}; {minutes} min at most",
}

JA: Mapping[str, str] = {
    "why.weekend": "週末",
    "why.holiday": "休業日",
    "why.own-holiday": "自社の休業日",
    "why.business-day": "営業日（非営業日に実施する訓練のため）",
    "why.calendar-unknown": "カレンダー {calendar} に {year} 年の情報なし（exchange_calendars の更新が必要）",
    "why.window": "当日に実施時間帯なし",
    "why.window-short": "時間帯の残り {left} 分に対し所要 {takes} 分",
    "why.blackout": "実施禁止期間: {words}",
    "why.moved": "{of}から振替（{why}）",
    "why.coincides": "{why}。振替先の{day}に同じ訓練の予定あり",
    "why.after": "{entry} の終了後に開始",
    "why.taken": "時間帯の残りを {entry} が使用",
    "why.budget": "{period}の上限: {limit} 分のうち {spent} 分が計画済み、所要 {takes} 分",
    "why.left-out": "夏時間への切替により {at} が存在しないため後ろ倒し",
    "why.twice": "夏時間の終了により {at} が 2 回あり、1 回目に実施",
    "why.nobody-looked": "時間内に予定の確認が行われなかった（マシンの休止・停止、またはタイマーの停止）",
    "why.changed": "開始時刻を過ぎた後にスケジュールが変更された",
    "why.changed-before": "開始時刻より前にスケジュールが変更された",
    "why.died": "実施中のプロセスが途中で終了した",
    "why.busy": "マシンが使用中: {holders}",
    "why.refused": "開始できず: {message}",
    "why.window-over": "すべて実施する前に時間帯が終了した",
    "why.stopped": "中断: {how}",
    "why.not-told": "通知できず: {problem}",
    "period.day": "1 日",
    "period.week": "1 週",
    "period.month": "1 か月",
    "state.planned": "予定",
    "state.began": "実施中",
    "state.ended": "実施済み",
    "state.missed": "未実施",
    "state.skipped": "対象外",
    "state.withdrawn": "取り下げ",
    "state.postponed": "延期",
    "weekdays": "月 火 水 木 金 土 日",
    "next.head": "スケジュール {schedule}（{zone}）: {first}から{last}まで",
    "next.minutes": "最大 {minutes} 分",
    "next.not": "実施せず: {why}",
    "next.none": "この期間に予定なし",
    "next.sum": "実施予定 {n} 件、最大 {minutes} 分。実施しない日付 {not_} 件",
    "past.none": "この期間の記録なし",
    "past.sum": "実施予定 {due} 件のうち実施済み {done} 件、未実施 {missed} 件",
    "once.nothing": "現在実施すべき訓練なし。次回: {next}",
    "once.nothing-planned": "現在実施すべき訓練なし。今後 {days} 日間の予定もなし",
    "once.next": "次回: {next}",
    "once.elsewhere": "別のプロセスが予定を確認・実施中。残りは次回の確認時に実施",
    "once.begins": "{entry}: {drills}、最大 {minutes} 分",
    "once.postponed": "{entry}（{of}）: マシンが使用中（{holders}）。{latest} まで次回の確認時に再試行",
    "once.missed": "{entry}（{of}）は未実施: {why}",
    "once.incomplete": "{entry}（{of}）は一部未実施: {why}",
    "once.not-told": "{receiver} に通知できず: {problem}",
    "once.told": "{receiver} に通知済み",
    "ran.as-declared": "想定どおり",
    "ran.not-as-declared": "想定と異なる結果",
    "ran.cannot-judge": "判定不能",
    "told.before.title": "訓練開始: {entry}",
    "told.before": "これより訓練を開始します（最大 {minutes} 分）。意図的に障害を起こす対象: {target}",
    "told.after.title": "訓練終了: {entry}（想定どおり）",
    "told.finding.title": "訓練で問題を検出: {entry}",
    "told.unjudged.title": "訓練は未完了または判定不能: {entry}",
    "told.missed.title": "訓練未実施: {entry}（{of}）",
    "told.missed": "{of}の訓練は実施されませんでした。理由: {why}",
    "told.incomplete": "一部の訓練は実施されませんでした。理由: {why}",
    "told.run": "{title}（{drill}）、{arm}: {verdict}",
    "told.drill": "{title}（{drill}）、{arm}",
    "told.red": "未達: {red}",
    "told.cause": "原因: {red}",
    "told.vacuous": "合格してはならない条件での合格（対応者なし、または誤った手順書）。この訓練は有効性を示せない",
    "told.grade": "合格したが評価が想定を下回る",
    "told.reason": "不合格は想定どおりだが、原因が想定と異なる: {red}",
    "told.where": "評価票: {run}",
    "told.foot": "スケジュール {schedule}。訓練の対象は{target}です。",
    "told.test.title": "kunren: テスト通知",
    "told.test": "スケジュール {schedule} からの通知は届いています。通知の対象: {occasions}",
    "occasion.before": "訓練の開始前",
    "occasion.after": "訓練の終了後",
    "occasion.finding": "問題の検出時",
    "occasion.missed": "未実施の発生時",
    "target.local": "模擬証券システム（本番環境ではありません）",
    "target.compose": "コンテナ上の模擬証券システム（本番環境ではありません）",
    "target.other": "対象システム {target}",
    "ics.about": "{drills}、対象 {target}、最大 {minutes} 分",
}

TEXTS: Mapping[Lang, Mapping[str, str]] = {"en": EN, "ja": JA}


def say(lang: Lang, key: str, **values: object) -> str:
    """The text of ``key`` with its places filled in; KeyError for a key that is not there."""
    return TEXTS[lang][key].format(**values)


def state_words(lang: Lang, state: str) -> str:
    """What became of a date, in words; a state of a later version stands for itself."""
    return TEXTS[lang].get(f"state.{state}", state)


def why(lang: Lang, reason: Reason) -> str:
    """A reason in words; one of a later version stands for itself."""
    text = TEXTS[lang].get(f"why.{reason.id}")
    if text is None:
        return " ".join([reason.id, *(f"{name}={value}" for name, value in reason.values.items())])
    values: dict[str, object] = {name: _value(lang, name, value) for name, value in reason.values.items()}
    if reason.words is not None:
        values["words"] = reason.words.get(lang) or reason.words.get("en", "")
    if reason.why is not None:
        values["why"] = why(lang, reason.why)
    return text.format(**values)


def _value(lang: Lang, name: str, value: str | int) -> object:
    if name == "period":
        return say(lang, f"period.{value}")
    return on(lang, date.fromisoformat(str(value))) if name in ("of", "day") else value


def on(lang: Lang, day: date) -> str:
    """A date with its weekday."""
    weekday = say(lang, "weekdays").split()[day.weekday()]
    return f"{day.isoformat()}（{weekday}）" if lang == "ja" else f"{weekday} {day.isoformat()}"


def at(instant: datetime, zone: ZoneInfo) -> str:
    """The time of day in a zone; with its abbreviation on a day that has some times twice or not at all."""
    local = instant.astimezone(zone)
    begins, ends = local.replace(hour=0, minute=0), local.replace(hour=23, minute=59)
    return f"{local:%H:%M} {local:%Z}" if begins.utcoffset() != ends.utcoffset() else f"{local:%H:%M}"


def target(lang: Lang, name: str) -> str:
    """What is drilled."""
    key = f"target.{name}"
    return say(lang, key) if key in TEXTS[lang] else say(lang, "target.other", target=name)
