"""What checks and limits say in Japanese: everything known is translated, and what is not stays as it was said."""

from __future__ import annotations

import random
import re

import msgspec
import pytest

from drills.domains.notices import checks as notices
from drills.domains.orders import checks as orders
from drills.judge.checks import CHECKS, detection, recovery
from drills.judge.checks import validity as evidence
from drills.judge.checks.check import rule
from drills.judge.score import score
from drills.judge.scorecard import Scorecard
from drills.record.unsupported import THINGS, sentences
from reports.phrases import COUNTED, OWN_ERRORS, limits, translated
from reports.terminal import render_card
from reports.unjudged import cause, fix, follows
from targets.accounts import ENDED, RESTARTED
from targets.own_errors import KINDS, NO_THREAD, UNHANDLED
from tests.drills.defects import DEFECTS
from tests.drills.plants import own_error, unaccounted
from tests.drills.synthetic import correct
from tests.drills.unjudged import UNJUDGED, card_of

from .cards import RUN, passed

ENGLISH = re.compile(r"\b[a-z]{3,} [a-z]{3,}\b")
"""Two plain words in a row: no name, no unit."""


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        ("9 of 803 orders twice at the exchange", "取引所での二重注文 9/803 件"),
        (
            "0 of 3 executions without notice; 1 of 2 notices repeated",
            "通知のない約定 0/3 件。重複した通知 1/2 件",
        ),
        ("0 of 0, not exercised", "0/0 件（今回は対象なし）"),
        ("2 × notice not sent; 1 × service orders still closed", "未送信の通知 2 件。停止中のままのサービス orders"),
        ("sent late by 0.081 s (p99), 3 of 900 dropped", "送信の遅れ 0.081 s (p99)、未送信 3/900 件"),
        (
            "sent late by 0.004 s (p99), 0 of 900 dropped, 3 of 900 bad only for being sent late",
            "送信の遅れ 0.004 s (p99)、未送信 0/900 件、送信の遅れだけが原因の不良 3/900 件",
        ),
        (
            "duration of fault 0 (kill): planned 1.0 s, was 0.044–0.16 s; reaction: planned 1.0 s, not on record",
            "障害 0 (kill) の継続時間: 計画 1.0 s、実績 0.044–0.16 s。初動までの時間: 計画 1.0 s、実績の記録なし",
        ),
        (
            "observation: planned at most 9.0 s, was 9.6 s; quiet after the runbook: planned at least 7.5 s, was 2 s",
            "観測時間: 計画（最長） 9.0 s、実績 9.6 s。手順書完了後に正常を確認した時間: 計画（最短） 7.5 s、実績 2 s",
        ),
        ("cannot tell: no book bank", "判定できない（帳簿 bank がない）"),
        ("web ended while starting; its log ends: no such file", "web が起動中に終了した。ログの末尾: no such file"),
        ("something nobody has translated", "something nobody has translated"),
        ("2 of 3 things nobody has translated", "2 of 3 things nobody has translated"),
    ],
)
def test_a_sentence_in_japanese(says: str, expected: str) -> None:
    assert translated("ja", says) == expected
    assert translated("en", says) == says


def test_all_that_the_checks_say_of_planted_defects_is_translated() -> None:
    families = (detection, evidence, notices, orders, recovery)
    said = set()
    for arm in ("runbook", "no-fault"):
        history = correct(2, arm).history()
        said |= {rule(check, history).says for family in families for check in family.CHECKS}
    for defect in DEFECTS:
        if set(defect.speaks) & {check.id for family in families for check in family.CHECKS}:
            draft = correct(2)
            defect.plant(draft, random.Random(2))
            history = draft.history()
            said |= {rule(check, history).says for family in families for check in family.CHECKS}
    assert len(said) > 20
    assert [words for words in said if ENGLISH.search(translated("ja", words))] == []


@pytest.mark.parametrize("name", [name for name in UNJUDGED if name not in ("failed later", "not labelled")])
def test_why_a_run_cannot_judge_is_said_in_japanese(name: str) -> None:
    """But for what a system or a service said itself: that is quoted."""
    card, _ = card_of(name)
    quoted = "Too many open files"
    assert not ENGLISH.search(cause(card, "ja").replace(quoted, ""))
    assert not ENGLISH.search(follows(card, "ja"))
    assert not ENGLISH.search(re.sub(r"kunren [a-z]+( up)?( RUN)?|events.jsonl", "", fix(card, "ja")))


def test_limits_of_the_drill_are_its_authors_words_and_the_others_are_translated() -> None:
    draft = correct(1, effect=False)
    draft.plan = msgspec.structs.replace(draft.plan, limits=["one exchange only"], limits_ja=["取引所は一つのみ"])
    card = score(draft.history(), None)
    assert card.limits[0] == "one exchange only"
    assert limits(card, "en") == card.limits
    said = limits(card, "ja")
    assert len(said) == len(card.limits)
    assert said[0] == "取引所は一つのみ"
    assert said[-1] == "engines.database: 対象システムでは使用していない"
    assert "t_impact: 発生せず" in said
    assert "影響を未然に防止（異常なし）" in said
    assert not [line for line in said if ENGLISH.search(line)]


def test_the_japanese_card_speaks_japanese() -> None:
    card = passed() | {"limits": ["one exchange only"], "limits_ja": ["取引所は一つのみ"]}
    card["checks"][2] |= {"verdict": "fail", "says": "9 of 803 orders twice at the exchange"}
    text = render_card(card, None, RUN, lang="ja").plain
    assert "限界: 取引所は一つのみ" in text
    assert "no-duplicates: 取引所での二重注文 9/803 件" in text


def test_a_card_of_before_has_its_limits_in_english() -> None:
    card = msgspec.convert(passed(), Scorecard)
    assert limits(card, "ja")[0] == "one exchange only"


def test_every_phrase_is_translated() -> None:
    assert all(ja and not ENGLISH.search(ja.replace("kunren heal", "")) for ja in COUNTED.values())


@pytest.mark.parametrize("kind", [*KINDS.values(), NO_THREAD, UNHANDLED, ENDED, RESTARTED])
def test_an_error_of_our_own_is_said_in_japanese_whatever_its_kind(kind: str) -> None:
    says = translated("ja", f"kunren's proxy: 3 × {kind}; first of proxy: accept on x")
    assert says == f"訓練側の proxy: {OWN_ERRORS[kind]} 3 件。proxy の最初の記録: accept on x"


def test_what_is_said_of_our_own_parts_is_translated() -> None:
    draft = correct(2)
    own_error("load")(draft)
    unaccounted("harness", "proxy")(draft)
    says = translated("ja", rule(CHECKS["own-parts-sound"], draft.history()).says)
    assert says.endswith("訓練側の harness, proxy から異常の有無の報告がない")
    assert translated("ja", "the account of proxy cannot be read") == "訓練側の proxy の異常の報告を読めない"
    sound = translated("ja", rule(CHECKS["own-parts-sound"], correct(2).history()).says)
    assert sound == "訓練側の各部に異常なし: harness, load, launcher, proxy"


NOT_OFFERED = [
    *sentences(THINGS),
    "detect: not offered by the target: alerts",
    "x: not offered by the target: book oms",
]


@pytest.mark.parametrize("line", NOT_OFFERED)
def test_what_is_not_offered_is_said_in_japanese(line: str) -> None:
    assert "alerts" not in translated("ja", line.partition(": ")[2])
    said = translated("ja", line.partition(": ")[2])
    assert "対象システムは" in said
    assert not ENGLISH.search(said)
