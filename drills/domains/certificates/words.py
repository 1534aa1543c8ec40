"""Words of this domain: what its counts and reasons are called, in English and Japanese."""

from __future__ import annotations

from collections.abc import Mapping

from drills.judge.text import Text, counted

COUNTS: Mapping[str, Text] = {
    "cert.refused": counted("names whose certificate customers refuse", "証明書が顧客に拒否されるサーバ名"),
    "cert.ends-soon": counted("names whose chain ends within a day", "証明書チェーンが1日以内に失効するサーバ名"),
    "cert.not-loaded": counted("names served other than what is installed", "設置済みと異なる証明書を提示するサーバ名"),
    "cert.other-key": counted("names whose key is not that of the certificate", "証明書と秘密鍵が一致しないサーバ名"),
    "cert.unlisted": counted("renewed names that the inventory lacks", "更新後の証明書が台帳に未登録のサーバ名"),
    "cert.trusted-anybody": counted(
        "bad certificates that clients of our own accept", "社内クライアントが受け入れた不正な証明書"
    ),
}

REASONS: Mapping[str, Text] = {
    "cert.not-looked": Text("nobody looked at the end", "終了時の確認結果がない"),
}

WORDS: Mapping[str, Text] = {**COUNTS, **REASONS}
"""A text for people, in English and Japanese, with ``{places}`` to be filled in: the same ones in both."""
