"""What checks and limits say, in Japanese. The card holds the English sentence alone: it is what was judged.

A sentence is made of parts joined by ``; ``; each is translated by a fixed phrase or a pattern with numbers and names
in it. A part that nobody has translated stays as it is: better English than nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from drills.judge.scorecard import Scorecard
from reports.texts import Lang, known

COUNTED: Mapping[str, str] = {
    "acknowledged orders lost": "受付済み注文の消失",
    "acknowledged orders unknown to the brokerage": "社内システムに存在しない受付済み注文",
    "orders at the exchange unknown to the brokerage": "社内システムに存在しない取引所側の注文",
    "orders at the exchange never asked for or refused": "顧客の指図がない、または拒否と回答した取引所側の注文",
    "orders at the exchange on other terms than asked": "取引所側で条件が指図と異なる注文",
    "orders at the brokerage on other terms than asked": "社内システムで条件が指図と異なる注文",
    "orders the brokerage misjudges": "社内システムの状態が取引所と食い違う注文",
    "orders the customer never learned the end of": "顧客に結果が伝わっていない注文",
    "orders stuck in a passing state": "処理途中のまま滞留した注文",
    "executions at the exchange not posted": "未記帳の約定",
    "posted executions unknown to the exchange": "取引所に存在しない記帳済み約定",
    "posted executions differ from the exchange's": "取引所と内容が異なる記帳済み約定",
    "orders filled by more or less than was posted": "約定数量が記帳と一致しない注文",
    "orders twice at the exchange": "取引所での二重注文",
    "orders twice at the brokerage": "社内システムでの二重注文",
    "executions posted twice": "二重記帳された約定",
    "customer legs posted twice": "顧客口座への二重計上",
    "executions notified twice": "二重通知された約定",
    "executions without notice": "通知のない約定",
    "notices repeated": "重複した通知",
    "notices to a wrong account": "誤った口座への通知",
    "notices of no execution": "約定の裏付けがない通知",
    "figures wrong at the end": "終了時点の誤表示",
    "balances differ from the exchange's book": "取引所の帳簿と異なる残高",
    "balances differ from what they should be": "あるべき額と異なる残高",
    "actions on a wrong figure": "誤った表示に基づく行動",
    "actions after the first step on a wrong figure": "最初の手順より後の、誤った表示に基づく行動",
    "postings unbalanced": "貸借が一致しない記帳",
    "balances off": "記帳の合計と一致しない残高",
    "accounts without a balance": "残高のない口座",
    "faults injected and witnessed": "注入と効果を確認できた障害",
    "faults undone and seen gone": "解除と消滅を確認できた障害",
    "faults not seen gone: run `kunren heal`": "消滅を確認できない障害（`kunren heal` を実行）",
    "jobs not done": "完了していないジョブ",
    "jobs done again": "重複して実行されたジョブ",
    "jobs begun before those they need were done": "先行ジョブの完了前に開始したジョブ",
    "jobs whose counts do not add up": "件数が一致しないジョブ",
    "jobs done on nothing": "対象ゼロ件で完了したジョブ",
    "variations beyond the first of an account and day": "同一口座・同一日の重複した値洗い",
    "variations of another day": "対象日の異なる値洗い",
    "accounts without a variation": "値洗いのない口座",
    "gates not passed by the opening": "寄付きまでに完了していない開局判定",
    "services closed at the opening": "寄付き時点で停止中のサービス",
    "repairs without reason, request or approver": "理由・依頼者・承認者のない修正",
    "repairs approved by who asked for them": "依頼者自身が承認した修正",
    "repairs that were not posted as stated": "申請どおりに記帳されていない修正",
    "corrections posted that nobody asked for": "依頼のない修正記帳",
    "balances changed without a posting": "記帳なしに変更された残高",
}
"""What ``N of M`` is said of."""

LEFT: Mapping[str, str] = {
    "order still unknown": "状態不明のままの注文",
    "order still pending-new": "発注処理中のままの注文",
    "order still pending-cancel": "取消処理中のままの注文",
    "order still in a passing state": "処理途中のままの注文",
    "execution not posted": "未記帳の約定",
    "notice not sent": "未送信の通知",
    "balances still marked not current": "「最新ではない」表示のままの残高",
}
"""What ``N ×`` is said of."""

INSTANTS: Mapping[str, str] = {
    "did not happen": "発生せず",
    "did not happen while it was observed": "観測中には発生せず",
    "there was nothing to recover from, the span is zero": "復旧すべき影響がなかったため、所要時間はゼロ",
}

OWN_ERRORS: Mapping[str, str] = {
    "too many open files": "ファイル記述子の上限到達",
    "too many open files in system": "システム全体のファイル数上限到達",
    "out of memory": "メモリ不足",
    "no buffer space": "バッファ領域の不足",
    "no free local port": "ローカルポートの枯渇",
    "no new thread": "スレッドの作成失敗",
    "disk full": "ディスクの空き容量不足",
    "disk error": "ディスクの入出力エラー",
    "unhandled error": "プログラムの内部エラー",
    "ended by itself": "プロセスの異常終了",
    "started anew": "プロセスの再起動",
}
"""What ``kunren's PART: N ×`` is said of: errors of the harness's own parts."""

SENTENCES: Sequence[tuple[str, str]] = (
    *(
        (rf"kunren's (harness|load|proxy|launcher): (\d+) × {kind}", rf"訓練側の \1: {ja} \2 件")
        for kind, ja in OWN_ERRORS.items()
    ),
    (r"first of (harness|load|proxy|launcher): (.+)", r"\1 の最初の記録: \2"),
    (r"no account of their own errors by (.+)", r"訓練側の \1 から異常の有無の報告がない"),
    (r"the account of (\S+) cannot be read", r"訓練側の \1 の異常の報告を読めない"),
    (r"no error of our own parts: (.+)", r"訓練側の各部に異常なし: \1"),
    (r"0 of 0, not exercised", "0/0 件（今回は対象なし）"),
    (r"arrivals: (.+)", r"到着件数: \1"),
    (r"sent late by ([\d.]+) s \(p99\), (\d+) of (\d+) dropped", r"送信の遅れ \1 s (p99)、未送信 \2/\3 件"),
    (
        r"sent late by ([\d.]+) s \(p99\), (\d+) of (\d+) dropped, (\d+) of (\d+) bad only for being sent late",
        r"送信の遅れ \1 s (p99)、未送信 \2/\3 件、送信の遅れだけが原因の不良 \4/\5 件",
    ),
    (
        r"the harness stood still for at most ([\d.]+) s at a time and ([\d.]+) s in all",
        r"訓練実行側の停止は1回あたり最長 \1 s、合計 \2 s",
    ),
    (
        r"the harness stood still for at most (\S+) s at a time and (\S+) s in all, limits (\S+) s and (\S+) s",
        r"訓練実行側の停止は1回あたり最長 \1 s（上限 \3 s）、合計 \2 s（上限 \4 s）",
    ),
    (
        r"the operator's commands waited to be begun for at most (\S+) s a step and (\S+) s in all,"
        r" limits (\S+) s and (\S+) s",
        r"操作コマンドの起動待ちは1手順あたり最長 \1 s（上限 \3 s）、合計 \2 s（上限 \4 s）",
    ),
    (
        r"nobody measured how long the operator's commands waited to be begun",
        "操作コマンドの起動待ちの時間は測定されていない",
    ),
    (r"nobody measured whether the harness stood still", "訓練実行側が停止していなかったかは測定されていない"),
    (r"longest silence of the monitor ([\d.]+) s, limit ([\d.]+) s", r"監視の最長無応答 \1 s（上限 \2 s）"),
    (r"the monitor was never heard", "監視の応答が一度もない"),
    (r"something was broken: a page is right", "障害を注入したため、呼び出しは正当"),
    (r"(\d+) false pages: (.+)", r"誤った呼び出し \1 件: \2"),
    (r"the drill names no rules", "訓練定義に警報ルールの指定がない"),
    (r"none of (\d+) rules fired", r"\1 件の警報ルールはいずれも発報せず"),
    (r"the run did not end", "実行が終了していない"),
    (r"ended: judged", "終了: 判定に必要な観測を完了"),
    (r"ended: cap", "終了: 上限時間に到達"),
    (r"ended: stop_if", "終了: 中止条件に該当"),
    (r"ended: baseline", "終了: 平常状態を確認できず"),
    (r"ended: interrupted(.*)", r"終了: 中断\1"),
    (r"ended: terminated(.*)", r"終了: 停止要求\1"),
    (r"ended: hung-up(.*)", r"終了: 端末の切断\1"),
    (r"ended: error(.*)", r"終了: 異常終了\1"),
    (r"(\d+) events, (\d+) samples", r"イベント \1 件、サンプル \2 件"),
    (r"no events", "イベントの記録なし"),
    (r"clock offsets were not recorded at both ends", "時計の差が開始・終了の両方では記録されていない"),
    (r"wall clock moved ([\d.-]+) s against the monotonic clock", r"単調時計に対する時刻のずれ \1 s"),
    (r"the baseline was not good", "平常状態が正常ではなかった"),
    (r"the baseline was not good: (.+)", r"平常状態が正常ではなかった（正常応答の件数: \1）"),
    (r"served well: (.+)", r"正常応答の割合: \1"),
    (r"slow to answer or silent: (.+)", r"応答の遅延・途絶: \1"),
    (r"alerts before anything was broken: (.+)", r"障害前の警報: \1"),
    (r"nobody opened the page", "手順書が開かれていない"),
    (r"no step of the page was begun", "手順書のどの手順も開始されていない"),
    (r"cannot tell: the monitor was not heard all along", "判定できない（監視に空白がある）"),
    (r"stopped by Ctrl-C", "Ctrl-C による中断"),
    (r"stopped by SIGTERM", "SIGTERM による停止"),
    (r"everything was undone", "障害はすべて解除済み"),
    (r"(.+) did not get healthy within ([\d.]+) s", r"\1 が \2 s 以内に正常にならなかった"),
    (r"(.+) ended while starting", r"\1 が起動中に終了した"),
    (r"it left no log", "ログなし"),
    (r"its log ends: (.+)", r"ログの末尾: \1"),
    (r"log-in of (\S+): (.+)", r"\1 のログイン失敗: \2"),
    (r"no baseline was taken", "平常状態を測定していない"),
    (r"service was good before", "障害前のサービスは正常"),
    (r"no request was sent", "リクエストが送信されていない"),
    (r"nothing was observed", "観測が行われていない"),
    (r"no service was to be asked", "対象サービスの指定がない"),
    (r"this arm breaks nothing", "障害を注入しない実行"),
    (r"no fault was planned", "障害が計画されていない"),
    (r"this arm has a fault", "障害を注入する実行"),
    (r"(\d+) injections in an arm without a fault", r"障害なしの実行で注入 \1 件"),
    (r"nothing was injected", "障害の注入なし"),
    (
        r"no stuck order, open execution or notice, closed service or marked balance",
        "滞留注文・未処理の約定や通知・停止中のサービス・「最新ではない」表示はいずれもなし",
    ),
    (r"(\d+) × service (\S+) still closed", r"停止中のままのサービス \2"),
    (r"of (\d+) of (\d+) balances nobody can tell what they should be", r"あるべき額を判定できない残高 \1/\2 件"),
    (r"(\d+) of 1 gates passed before (.+) were done", r"\2 の完了前に通過した開局判定 \1/1 件"),
    (r"the gate was passed ([\d.-]+) s before the opening", r"開局判定は寄付きの \1 s 前に完了"),
    (r"the world's calendar does not say which jobs must run", "暦に必須ジョブの定義がない"),
    (r"the world's calendar does not say when the opening is", "暦に寄付き時刻の定義がない"),
    (r"the world's calendar knows of no night", "暦に夜間処理の定義がない"),
    (r"cannot tell: no book (.+)", r"判定できない（帳簿 \1 がない）"),
    (r"cannot tell: the books were never read at an end", "判定できない（終了時の帳簿がない）"),
    (r"the checker failed: (.+)", r"検査プログラムの異常: \1"),
    (r"the judge failed at (\w+): (.+)", r"判定プログラムの異常（\1）: \2"),
    (r"no such check in this version", "この版にはない検査"),
    (r"(\S+) is missing", r"\1 がない"),
    (r"(\S+) line (\d+) is cut off", r"\1 の \2 行目が途中で切れている"),
    (r"(\S+) line (\d+) cannot be read: (.+)", r"\1 の \2 行目を読めない: \3"),
    (r"(\S+) is not in order of time: its rows were moved or changed", r"\1 が時刻順でない（行の移動・改変）"),
    (
        r"nothing was broken: instants and durations of a fault do not apply",
        "障害がないため、障害の時刻・所要時間は対象外",
    ),
    (r"nothing was injected: no instant can be dated", "障害が注入されなかったため、時刻を特定できない"),
    (r"the impact was prevented: nothing bad was seen", "影響を未然に防止（異常なし）"),
    (r"cannot be known, (.+), at ([\d.]+) s at the earliest", r"特定できない（\1、早くとも \2 s）"),
    (r"cannot be known, (.+)", r"特定できない（\1）"),
    (r"the fault was not witnessed, or the watch had a gap", "障害の効果を確認できない、または監視に空白がある"),
    (
        r"it was good again, and the run stopped looking before that had held",
        "正常に戻ったが、維持を確認する前に観測を終了",
    ),
    (r"no book (.+)", r"帳簿 \1 がない"),
    (r"not offered by the target: book (.+)", r"対象システムは帳簿 \1 を提供しない"),
    (r"not offered by the target: alerts", "対象システムは警報を提供しない"),
    (r"not offered by the target: operator", "対象システムは運用操作を提供しない"),
    (r"not offered by the target: books", "対象システムは帳簿を提供しない"),
    (r"not offered by the target: (.+)", r"対象システムは \1 を提供しない"),
    (r"not offered by the target", "対象システムは提供しない"),
    (
        r"whether anything was lost, doubled or shown wrongly cannot be seen",
        "喪失・重複・誤表示の有無は判定できない",
    ),
    (r"no runbook can be followed", "手順書は実行できない"),
    (r"when the fault would have been noticed cannot be seen", "検知の時期は判定できない"),
    (r"the target named none", "対象システムでは使用していない"),
    (r"the target was never ready", "対象システムが起動していない"),
)
"""Patterns of a whole part, first match first, and what they are in Japanese."""

PLANNED: Mapping[str, str] = {
    r"baseline": "平常状態の測定時間",
    r"onset of fault (?P<fault>\d+ \(\S+\))": r"障害 \g<fault> の注入時期",
    r"duration of fault (?P<fault>\d+ \(\S+\))": r"障害 \g<fault> の継続時間",
    r"false alarm": "誤報の発生時期",
    r"reaction": "初動までの時間",
    r"observation": "観測時間",
    r"quiet after the runbook": "手順書完了後に正常を確認した時間",
}
"""What is compared with the plan."""

BOUNDS: Mapping[str, str] = {"": "", "at most ": "（最長）", "at least ": "（最短）"}

WAS: Mapping[str, str] = {r"was (?P<was>\S+) s": r"実績 \g<was> s", r"not on record": "実績の記録なし"}

COMPARED: Sequence[tuple[str, str]] = [
    (rf"{what}: planned {bound}(?P<plan>\S+) s, {was}", rf"{ja}: 計画{limit} \g<plan> s、{was_ja}")
    for what, ja in PLANNED.items()
    for bound, limit in BOUNDS.items()
    for was, was_ja in WAS.items()
]

_PATTERNS = [(re.compile(rf"{pattern}\Z"), ja) for pattern, ja in [*SENTENCES, *COMPARED]]
_COUNT = re.compile(r"(\d+) of (\d+) (.+)\Z")
_NUMBER = re.compile(r"(\d+) × (.+)\Z")
_LABEL = re.compile(r"([a-z][\w.-]*): (.+)\Z", re.DOTALL)


def translated(lang: Lang, says: str) -> str:
    """A sentence of the card in the language asked for."""
    return says if lang == "en" else "。".join(_japanese(part) for part in says.split("; "))


def limits(card: Scorecard, lang: Lang) -> list[str]:
    """What the run cannot show: the drill's own limits as its author has put them, the others translated."""
    if lang == "en":
        return card.limits
    return [*card.limits_ja, *(_limit(line) for line in card.limits[len(card.limits_ja) :])]


def _limit(line: str) -> str:
    """``ID: sentence``: names that scripts use are never translated, what a target does not offer is."""
    label = _LABEL.match(line)
    return (
        f"{known('ja', f'thing.{label[1]}', label[1])}: {translated('ja', label[2])}"
        if label
        else translated("ja", line)
    )


def _japanese(part: str) -> str:
    number, count = _NUMBER.match(part), _COUNT.match(part)
    if number and number[2] in LEFT:
        return f"{LEFT[number[2]]} {number[1]} 件"
    if count and count[3] in COUNTED:
        return f"{COUNTED[count[3]]} {count[1]}/{count[2]} 件"
    if part in INSTANTS:
        return INSTANTS[part]
    for pattern, ja in _PATTERNS:
        match = pattern.match(part)
        if match:
            return match.expand(ja)
    return part
