"""What to do about a run that cannot judge, by its cause, in English and Japanese.

A fix is found by its whole name (``run-ended.error.start``), else by the name of the check (``run-ended``), else by the
verdict: a new check needs a text here only where the general one is not right for it.
"""

from __future__ import annotations

from collections.abc import Mapping

from reports.texts import Lang

EN: Mapping[str, str] = {
    "invalid": "run it once more (--retry-invalid 1); if it stays so, look closer with the line below",
    "unknown": "look closer with the line below",
    "nothing": "name objectives and checks in the drill's file",
    "run-ended": "run it again",
    "run-ended.killed": "see what it left with kunren heal, undo that with kunren heal --all, then run it again",
    "run-ended.interrupted": "run it again and let it come to its end",
    "run-ended.terminated": "find out who stopped it (a time limit of the CI job?), then run it again",
    "run-ended.hung-up": "keep the terminal open, or start it with nohup, then run it again",
    "run-ended.refused": "let the target show the drill label and token (targets/README.md), or name another target",
    "run-ended.error.descriptors": "raise the limit of open files (ulimit -n; see kunren doctor), then run it again",
    "run-ended.error.start": "see why the target did not start: logs/ in the run's folder, or kunren target up",
    "run-ended.error.login": "see logs/ in the run's folder, and kunren doctor for what this machine lacks",
    "run-ended.error.later": "see logs/ in the run's folder, then run it again",
    "history-whole": "restore the run's folder from a copy (kunren check RUN --evidence), or run it again",
    "one-clock": "keep the machine's clock from being set while a drill runs, then run it again",
    "baseline-good": "let it serve well before anything is broken: see logs/ in the run's folder, or lower the load",
    "load-on-time": "free the machine of other work, then run it again (--retry-invalid 1)",
    "load-on-time.nobody-came": "see logs/load.log in the run's folder, then run it again",
    "load-over-capacity": "the drill's rates do not fit what this target takes: set them, or its settings, anew",
    "load-reached-its-rate": "free the machine of other work, then run it again (--retry-invalid 1)",
    "fault-really-happened": "see in events.jsonl what the fault and its witness said: it may not reach this target",
    "own-parts-sound": "see the logs named above; kunren doctor says what this machine lacks, then run it again",
    "ran-as-planned": "free the machine of other work, then run it again (--retry-invalid 1)",
    "harness-kept-going": "let nothing stop or starve kunren while it runs, then run it again (--retry-invalid 1)",
    "processors-available": "end what else keeps this machine busy, then run it again (--retry-invalid 1)",
    "nothing-injected": "find out who injected it, undo it with kunren heal --all, then run it again",
    "nothing-still-injected": "undo it with kunren heal --all, then run it again",
    "monitoring-had-no-gap": "see why the monitor was silent: logs/ in the run's folder; then run it again",
    "runbook-was-followed": "see whether an alert came that links to the runbook, and whether it came in time",
    "judged-whole": "the judge itself is at fault: report it together with the run's folder",
    "objective.within": "run it again; if it stays so, choose a limit that the measurement can tell",
    "objective.unmeasured": "see in the limits below what is missing",
}

JA: Mapping[str, str] = {
    "invalid": "もう一度だけ実行する (--retry-invalid 1)。再発する場合は下の「詳細」の行で調べる",
    "unknown": "下の「詳細」の行で調べる",
    "nothing": "訓練定義に目標と検査を記載する",
    "run-ended": "再度実行する",
    "run-ended.killed": "kunren heal で残っているものを確認し、kunren heal --all で解除してから再度実行する",
    "run-ended.interrupted": "中断せずに最後まで再度実行する",
    "run-ended.terminated": "停止させた原因（CI ジョブの制限時間など）を確認してから再度実行する",
    "run-ended.hung-up": "端末を閉じずに、または nohup を付けて再度実行する",
    "run-ended.refused": "対象に訓練用のラベルとトークンを設定する (targets/README.md)、または別の対象を指定する",
    "run-ended.error.descriptors": "オープンファイル数の上限を引き上げて再度実行する（ulimit -n、kunren doctor）",
    "run-ended.error.start": "対象が起動しない原因を、実行フォルダの logs/ または kunren target up で確認する",
    "run-ended.error.login": "実行フォルダの logs/ を確認し、この環境の不足を kunren doctor で調べる",
    "run-ended.error.later": "実行フォルダの logs/ を確認してから再度実行する",
    "history-whole": "実行フォルダを控えから復元する (kunren check RUN --evidence で確認)、または再度実行する",
    "one-clock": "訓練中に実行環境の時刻が変更されないようにしてから再度実行する",
    "baseline-good": "障害前に対象が正常に応答する状態にする（実行フォルダの logs/ を確認、または負荷を下げる）",
    "load-on-time": "実行環境のほかの処理を止めてから、もう一度だけ実行する (--retry-invalid 1)",
    "load-on-time.nobody-came": "実行フォルダの logs/load.log を確認してから再度実行する",
    "load-over-capacity": "訓練の負荷が対象システムの処理能力に合っていない。負荷または設定を見直す",
    "load-reached-its-rate": "実行環境のほかの処理を止めてから、もう一度だけ実行する (--retry-invalid 1)",
    "fault-really-happened": "障害が対象に届いているか、実行フォルダの events.jsonl で注入と確認の記録を調べる",
    "own-parts-sound": "上記のログを確認し、この環境の不足を kunren doctor で調べてから再度実行する",
    "ran-as-planned": "実行環境のほかの処理を止めてから、もう一度だけ実行する (--retry-invalid 1)",
    "harness-kept-going": "kunren が停止・遅延しない環境で、もう一度だけ実行する (--retry-invalid 1)",
    "processors-available": "実行環境のほかの処理を止めてから、もう一度だけ実行する (--retry-invalid 1)",
    "nothing-injected": "注入元を特定し、kunren heal --all で解除してから再度実行する",
    "nothing-still-injected": "kunren heal --all で解除してから再度実行する",
    "monitoring-had-no-gap": "監視が途切れた原因を実行フォルダの logs/ で確認してから再度実行する",
    "runbook-was-followed": "手順書へのリンクを持つ警報が、間に合う時刻に発報されたかを確認する",
    "judged-whole": "判定プログラムの不具合。実行フォルダを添えて報告する",
    "objective.within": "再度実行する。再発する場合は、測定で判別できる基準に改める",
    "objective.unmeasured": "不足しているものを下の「限界」で確認する",
}

FIXES: Mapping[Lang, Mapping[str, str]] = {"en": EN, "ja": JA}


def fix_text(lang: Lang, name: str, verdict: str) -> str:
    """The text of the fix, of its check, or of the verdict."""
    texts = FIXES[lang]
    return texts.get(name) or texts.get(name.partition(".")[0]) or texts[verdict]
