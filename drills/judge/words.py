"""Words of the judge itself: what it says of a run's validity, of instants, of damage and of what is missing.

Domains have theirs beside their checks. ``NAMES`` are for what is filled in: ``PLACE.VALUE``, where it has a name of
its own in a language; a place in the plural takes the same names.
"""

from __future__ import annotations

from collections.abc import Mapping

from drills.judge.text import Text, counted

CHECKED: Mapping[str, Text] = {
    "not-exercised": Text("0 of 0, not exercised", "0/0 件（今回は対象なし）"),
    "no-book": Text("cannot tell: no book {books}", "判定できない（帳簿 {books} がない）"),
    "books-never-read": Text("cannot tell: the books were never read at an end", "判定できない（終了時の帳簿がない）"),
    "check-failed": Text("the checker failed: {error}", "検査プログラムの異常: {error}"),
    "judge-failed": Text("the judge failed at {part}: {error}", "判定プログラムの異常（{part}）: {error}"),
    "no-such-check": Text("no such check in this version", "この版にはない検査"),
}
"""Of any check."""

UNSUPPORTED: Mapping[str, Text] = {
    "unsupported.book": Text("not offered by the target: book {books}", "対象システムは帳簿 {books} を提供しない"),
    "unsupported.books": Text("not offered by the target: books", "対象システムは帳簿を提供しない"),
    "unsupported.alerts": Text("not offered by the target: alerts", "対象システムは警報を提供しない"),
    "unsupported.operator": Text("not offered by the target: operator", "対象システムは運用操作を提供しない"),
    "unsupported.thing": Text("not offered by the target", "対象システムは提供しない"),
    "without.books": Text(
        "whether anything was lost, doubled or shown wrongly cannot be seen",
        "喪失・重複・誤表示の有無は判定できない",
    ),
    "without.operator": Text("no runbook can be followed", "手順書は実行できない"),
    "without.alerts": Text("when the fault would have been noticed cannot be seen", "検知の時期は判定できない"),
}
"""What a target's own file says it does not offer, and what that means."""

LEFT: Mapping[str, Text] = {
    "left.services": counted("services still closed", "停止中のままのサービス"),
}

VALIDITY: Mapping[str, Text] = {
    "end": Text("ended: {how}", "終了: {how}"),
    "end.with-words": Text("ended: {how} ({words})", "終了: {how}（{words}）"),
    "end.none": Text("the run did not end", "実行が終了していない"),
    "history.whole": Text("{events} events, {samples} samples", "イベント {events} 件、サンプル {samples} 件"),
    "clock.not-recorded": Text(
        "clock offsets were not recorded at both ends", "時計の差が開始・終了の両方では記録されていない"
    ),
    "clock.moved": Text(
        "wall clock moved {seconds} s against the monotonic clock", "単調時計に対する時刻のずれ {seconds} s"
    ),
    "baseline.bad": Text("the baseline was not good", "平常状態が正常ではなかった"),
    "baseline.none": Text("no baseline was taken", "平常状態を測定していない"),
    "baseline.good": Text("service was good before", "障害前のサービスは正常"),
    "baseline.share": Text("{service} {percent} % served well", "{service}の正常応答 {percent} %"),
    "baseline.served": Text("{service} {good} of {of} served well", "{service}の正常応答 {good}/{of} 件"),
    "baseline.silent": Text("slow to answer or silent: {services}", "応答の遅延・途絶: {services}"),
    "baseline.alerts": Text("alerts before anything was broken: {rules}", "障害前の警報: {rules}"),
    "load.nothing-sent": Text("no request was sent", "リクエストが送信されていない"),
    "load.late": Text("sent late by {seconds} s (p99)", "送信の遅れ {seconds} s (p99)"),
    "load.dropped": Text("{n} of {of} dropped", "未送信 {n}/{of} 件"),
    "load.answered-before-sent": Text(
        "{n} of {of} answered before they were sent", "送信より前に応答が記録されたもの {n}/{of} 件"
    ),
    "load.bad-for-being-late": Text(
        "{n} of {of} bad only for being sent late", "送信の遅れだけが原因の不良 {n}/{of} 件"
    ),
    "load.nothing-observed": Text("nothing was observed", "観測が行われていない"),
    "load.no-service": Text("no service was to be asked", "対象サービスの指定がない"),
    "load.arrivals": Text("arrivals of {service}: {came} of {planned}", "{service}の到着 {came}/{planned} 件"),
    "load.silence": Text("nothing sent to {service} for {seconds} s", "{service}への送信が {seconds} s 途絶"),
    "capacity.no-step": Text("no load is stepped up", "負荷を引き上げる障害はない"),
    "capacity.not-measured": Text("what the target takes was not measured", "対象システムの処理能力が測定されていない"),
    "capacity.not-told": Text(
        "the target cannot tell how much of {service} it takes", "{service}の処理能力は測定できない"
    ),
    "capacity.rates": Text(
        "{service}: {takes} a second are taken, {usual} come usually, {most} at most",
        "{service}: 処理能力 毎秒{takes}件、通常 毎秒{usual}件、最大 毎秒{most}件",
    ),
    "arm.breaks-nothing": Text("this arm breaks nothing", "障害を注入しない実行"),
    "arm.has-a-fault": Text("this arm has a fault", "障害を注入する実行"),
    "fault.none-planned": Text("no fault was planned", "障害が計画されていない"),
    "fault.none-injected": Text("nothing was injected", "障害の注入なし"),
    "fault.in-control": Text("{n} injections in an arm without a fault", "障害なしの実行で注入 {n} 件"),
    "fault.verified": Text("{n} of {of} faults injected and witnessed", "注入と効果を確認できた障害 {n}/{of} 件"),
    "fault.undone-early": Text("{n} undone before the end", "終了前に解除された障害 {n} 件"),
    "fault.unplanned": Text("{n} that nobody planned", "計画にない障害 {n} 件"),
    "fault.removed": Text("{n} of {n} faults undone and seen gone", "解除と消滅を確認できた障害 {n}/{n} 件"),
    "fault.still-there": counted(
        "faults not seen gone: run `kunren heal`", "消滅を確認できない障害（`kunren heal` を実行）"
    ),
    "runbook.not-opened": Text("nobody opened the runbook", "手順書が開かれていない"),
    "runbook.not-begun": Text("no step of the runbook was begun", "手順書のどの手順も開始されていない"),
    "monitor.never-heard": Text("the monitor was never heard", "監視の応答が一度もない"),
    "monitor.silence": Text(
        "longest silence of the monitor {seconds} s, limit {limit} s", "監視の最長無応答 {seconds} s（上限 {limit} s）"
    ),
    "monitor.not-heard-throughout": Text(
        "cannot tell: the monitor was not heard all along", "判定できない（監視に空白がある）"
    ),
    "page.right": Text("something was broken: a page is right", "障害を注入したため、呼び出しは正当"),
    "page.false": Text("{n} false pages: {rules}", "誤った呼び出し {n} 件: {rules}"),
    "page.no-rules": Text("the drill names no rules", "訓練定義に警報ルールの指定がない"),
    "page.none": Text("none of {rules} rules fired", "{rules} 件の警報ルールはいずれも発報せず"),
    "harness.not-measured": Text(
        "nobody measured whether the harness stood still", "訓練実行側が停止していなかったかは測定されていない"
    ),
    "harness.waits-not-measured": Text(
        "nobody measured how long the operator's commands waited to be begun",
        "操作コマンドの起動待ちの時間は測定されていない",
    ),
    "harness.stood-still": Text(
        "the harness stood still for at most {worst} s at a time and {total} s in all",
        "訓練実行側の停止は1回あたり最長 {worst} s、合計 {total} s",
    ),
    "harness.stood-still-too-long": Text(
        "the harness stood still for at most {worst} s at a time and {total} s in all,"
        " limits {limit} s and {total_limit} s",
        "訓練実行側の停止は1回あたり最長 {worst} s（上限 {limit} s）、合計 {total} s（上限 {total_limit} s）",
    ),
    "harness.commands-waited": Text(
        "the operator's commands waited to be begun for at most {worst} s a step and {total} s in all,"
        " limits {limit} s and {total_limit} s",
        "操作コマンドの起動待ちは1手順あたり最長 {worst} s（上限 {limit} s）、合計 {total} s（上限 {total_limit} s）",
    ),
    "processors.contended": Text(
        "other programs kept all processors busy for {seconds} s of {of} s (limit {limit} s):"
        " what came late may be this machine's doing",
        "{of} s 中 {seconds} s は他のプログラムが全プロセッサを占有（上限 {limit} s）、"
        "遅延は実行環境に起因する可能性がある",
    ),
    "own.sound": Text("no error of our own parts: {parts}", "訓練側の各部に異常なし: {parts}"),
    "own.no-account": Text("no account of their own errors by {parts}", "訓練側の {parts} から異常の有無の報告がない"),
    "own.account-unreadable": Text("the account of {part} cannot be read", "訓練側の {part} の異常の報告を読めない"),
    "own.error": Text("kunren's {part}: {n} × {kind}", "訓練側の {part}: {kind} {n} 件"),
    "own.first": Text("first of {part}: {line}", "{part} の最初の記録: {line}"),
}
"""Whether the run can judge at all."""

_QUANTITIES: Mapping[str, Text] = {
    "baseline": Text("baseline", "平常状態の測定時間"),
    "onset": Text("onset of fault {fault}", "障害 {fault} の注入時期"),
    "duration": Text("duration of fault {fault}", "障害 {fault} の継続時間"),
    "false-alarm": Text("false alarm", "誤報の発生時期"),
    "reaction": Text("reaction", "初動までの時間"),
    "observation": Text("observation", "観測時間"),
    "quiet": Text("quiet after the runbook", "手順書完了後に正常を確認した時間"),
}
_WAS = Text(": planned {bound}{planned} s, was {was} s", ": 計画{bound} {planned} s、実績 {was} s")
_BLANK = Text(": planned {bound}{planned} s, not on record", ": 計画{bound} {planned} s、実績の記録なし")

PLANNED: Mapping[str, Text] = {
    f"planned.{name}{end}": Text(what.en + found.en, what.ja + found.ja)
    for name, what in _QUANTITIES.items()
    for end, found in (("", _WAS), (".not-on-record", _BLANK))
}
"""What was planned against what was."""

DAMAGE: Mapping[str, Text] = {
    "damage.missing": Text("{file} is missing", "{file} がない"),
    "damage.unreadable": Text("{file} cannot be read: {error}", "{file} を読めない: {error}"),
    "damage.another-text": Text(
        "{file} is not the text that ran: its SHA-256 is not the one in run.json",
        "{file} が実行時の内容と異なる（SHA-256 が run.json と不一致）",
    ),
    "damage.line": Text("{file} line {line} cannot be read: {error}", "{file} の {line} 行目を読めない: {error}"),
    "damage.index": Text(
        "{file} line {line} has index {index} where {due} is due",
        "{file} の {line} 行目の番号が {index}（本来は {due}）",
    ),
    "damage.unknown-book": Text("{file} is no book that this version knows", "{file} はこの版にない帳簿"),
    "damage.order": Text(
        "{file} is not in order of time: its rows were moved or changed", "{file} が時刻順でない（行の移動・改変）"
    ),
    "damage.no-final-count": Text("{file} does not end with the count of its rows", "{file} の末尾に行数の記録がない"),
    "damage.after-end": Text(
        "{file} line {line} comes after the count that ends it", "{file} の {line} 行目が末尾の行数の記録より後にある"
    ),
    "damage.rows-missing": Text(
        "{file} lacks {n} of its {of} rows, the first is number {first}",
        "{file} の行が {of} 行中 {n} 行欠けている（最初の欠番は {first}）",
    ),
    "damage.rows-again": Text(
        "{file} has {n} numbers of rows twice or beyond its count, the first is {first}",
        "{file} の行番号 {n} 件が重複または総数超過（最初は {first}）",
    ),
    "damage.cut-off": Text("{file} line {line} is cut off", "{file} の {line} 行目が途中で切れている"),
    "damage.more": Text("{file}: and {n} more", "{file}: ほか {n} 件"),
    "damage.no-samples": Text(
        "samples are missing: no load was stored", "サンプルがない（負荷の記録が保存されていない）"
    ),
    "damage.lengths": Text(
        "samples have columns of different length: {columns}", "サンプルの列の長さが一致しない: {columns}"
    ),
    "damage.codes": Text(
        "samples: {bad} of {of} records carry a code that {file} does not know",
        "サンプル {bad}/{of} 件に {file} にない符号がある",
    ),
    "damage.torn-sample": Text(
        "samples: the load's last record was cut off while it was written", "サンプルの最後の記録が途中で切れている"
    ),
    "damage.other-outcomes": Text(
        "{file} has other outcomes than this version: {outcomes}", "{file} の結果区分がこの版と異なる: {outcomes}"
    ),
    "damage.column-header": Text("{file} cannot be read: its header is garbled", "{file} を読めない（ヘッダの破損）"),
    "damage.column-type": Text(
        "{file} holds {found} in {dimensions} dimensions where {due} in one is due",
        "{file} の型が {found}（{dimensions} 次元）で、本来の {due}（1 次元）と異なる",
    ),
    "damage.column-short": Text(
        "{file} cannot be read: cut off, {bytes} bytes where {due} are due",
        "{file} を読めない（{due} バイトのうち {bytes} バイトで途切れている）",
    ),
    "damage.column-long": Text(
        "{file} cannot be read: too long, {bytes} bytes where {due} are due",
        "{file} を読めない（本来 {due} バイトのところ {bytes} バイトある）",
    ),
    "damage.event-gap": Text(
        "events are not numbered without gaps from {index} on", "イベントの番号が {index} 以降で連続していない"
    ),
    "damage.event-stamps": Text(
        "{n} events carry a stamp that is no number of nanoseconds", "時刻がナノ秒の整数でないイベント {n} 件"
    ),
    "damage.no-events": Text("no events", "イベントの記録なし"),
    "damage.requests-without-row": Text(
        "{n} of {of} requests have no row in the customers' book", "顧客の帳簿に行がないリクエスト {n}/{of} 件"
    ),
}
"""What is wrong with a run's files."""

MILESTONES: Mapping[str, Text] = {
    "milestones.no-fault": Text(
        "nothing was broken: instants and durations of a fault do not apply",
        "障害がないため、障害の時刻・所要時間は対象外",
    ),
    "milestones.not-injected": Text(
        "nothing was injected: no instant can be dated", "障害が注入されなかったため、時刻を特定できない"
    ),
    "milestones.prevented": Text("the impact was prevented: nothing bad was seen", "影響を未然に防止（異常なし）"),
    "milestone.absent": Text("did not happen", "発生せず"),
    "milestone.not-in-time": Text("did not happen while it was observed", "観測中には発生せず"),
    "milestone.not-needed": Text(
        "there was nothing to recover from, the span is zero", "復旧すべき影響がなかったため、所要時間はゼロ"
    ),
    "milestone.unknowable": Text("cannot be known", "特定できない"),
    "milestone.unobserved": Text(
        "the fault was not witnessed, or the watch had a gap", "障害の効果を確認できない、または監視に空白がある"
    ),
    "milestone.stopped-looking": Text(
        "it was good again, and the run stopped looking before that had held",
        "正常に戻ったが、維持を確認する前に観測を終了",
    ),
    "milestone.no-book": Text("no book {books}", "帳簿 {books} がない"),
    "milestone.earliest": Text("at {seconds} s at the earliest", "早くとも {seconds} s"),
}
"""Why an instant is missing."""

ENGINES: Mapping[str, Text] = {
    "engine.never-ready": Text("the target was never ready", "対象システムが起動していない"),
    "engine.none-named": Text("the target named none", "対象システムでは使用していない"),
}

WORDS: Mapping[str, Text] = {
    **CHECKED, **UNSUPPORTED, **LEFT, **VALIDITY, **PLANNED, **DAMAGE, **MILESTONES, **ENGINES,
}  # fmt: skip

NAMES: Mapping[str, Text] = {
    "service.orders": Text("orders", "注文"),
    "service.inquiry": Text("inquiry", "照会"),
    "service.repayment": Text("repayment", "返済"),
    "service.withdrawal": Text("withdrawal", "出金"),
    "service.pages": Text("rankings, charts and statements", "ランキング・チャート・明細"),
    "about.t_inject": Text("injection", "障害の注入"),
    "about.t_impact": Text("impact", "影響の発生"),
    "about.t_alert": Text("alert", "警報"),
    "about.t_declared": Text("escalation to who decides", "責任者への報告"),
    "about.t_runbook": Text("runbook opened", "手順書の着手"),
    "about.t_contained": Text("contained", "封じ込め"),
    "about.t_available": Text("services back", "サービス再開"),
    "about.t_restored": Text("services and figures good", "サービス・表示の正常化"),
    "about.t_reconciled": Text("books agree", "突合完了"),
    "about.t_recovered": Text("recovered", "回復"),
    "about.engines.proxy": Text("proxy", "プロキシ"),
    "about.engines.volume": Text("volume", "専用ボリューム"),
    "about.engines.database": Text("database", "データベース"),
    "bound.exactly": Text("", ""),
    "bound.at-most": Text("at most ", "（最長）"),
    "bound.at-least": Text("at least ", "（最短）"),
    "how.judged": Text("judged", "判定に必要な観測を完了"),
    "how.cap": Text("cap", "上限時間に到達"),
    "how.stop_if": Text("stop_if", "中止条件に該当"),
    "how.baseline": Text("baseline", "平常状態を確認できず"),
    "how.interrupted": Text("interrupted", "中断"),
    "how.terminated": Text("terminated", "停止要求"),
    "how.hung-up": Text("hung-up", "端末の切断"),
    "how.refused": Text("refused", "対象システムが条件を満たさず開始せず"),
    "how.error": Text("error", "異常終了"),
    "kind.too many open files": Text("too many open files", "ファイル記述子の上限到達"),
    "kind.too many open files in system": Text("too many open files in system", "システム全体のファイル数上限到達"),
    "kind.out of memory": Text("out of memory", "メモリ不足"),
    "kind.no buffer space": Text("no buffer space", "バッファ領域の不足"),
    "kind.no free local port": Text("no free local port", "ローカルポートの枯渇"),
    "kind.no new thread": Text("no new thread", "スレッドの作成失敗"),
    "kind.disk full": Text("disk full", "ディスクの空き容量不足"),
    "kind.disk error": Text("disk error", "ディスクの入出力エラー"),
    "kind.unhandled error": Text("unhandled error", "プログラムの内部エラー"),
    "kind.ended by itself": Text("ended by itself", "プロセスの異常終了"),
    "kind.started anew": Text("started anew", "プロセスの再起動"),
    "part.harness": Text("harness", "実行側"),
    "part.load": Text("load", "負荷生成"),
    "part.proxy": Text("proxy", "プロキシ"),
    "part.launcher": Text("launcher", "起動管理"),
    "part.operator's tool": Text("operator's tool", "操作コマンド"),
}
