"""Words of all that checks count and find: in both languages, whatever the domain, and none that nothing uses."""

from __future__ import annotations

import random
import re
import string
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drills.cards import score
from drills.domains.registry import DOMAINS
from drills.judge.check import run_check
from drills.judge.domain import Domain
from drills.judge.domains import Domains
from drills.judge.text import Text
from drills.judge.words import NAMES
from drills.record.history import Cause, CheckResult, Count, History, Reason, Status
from drills.record.unsupported import THINGS
from reports.terminal import render_card
from reports.unjudged import cause, fix, follows
from reports.words import limit, limits, metric_name, sentence
from targets.accounts import ENDED, RESTARTED
from targets.own_errors import KINDS, NO_THREAD, UNHANDLED
from tests.drills.defects import DEFECTS
from tests.drills.judging import CHECKS, run_checks
from tests.drills.night_defects import NIGHT_DEFECTS
from tests.drills.nights import correct_night
from tests.drills.plants import own_error, unaccounted
from tests.drills.synthetic import Draft, correct
from tests.drills.unjudged import UNJUDGED, card_of

from .cards import RUN, passed

ENGLISH = re.compile(r"\b[a-z]{3,} [a-z]{3,}\b")
"""Two plain words in a row: no name, no unit."""
JAPANESE = re.compile(r"[぀-ヿ一-鿿]")
SOURCES = Path(__file__).parents[2] / "drills"

WORDS = DOMAINS.words
ALL = {**WORDS, **NAMES}


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("id_", WORDS)
def test_every_id_has_words_in_both_languages_with_the_same_places(id_: str) -> None:
    text = WORDS[id_]
    assert places(text.en) == places(text.ja)
    assert JAPANESE.search(text.ja), text
    assert not JAPANESE.search(text.en), text
    assert not ENGLISH.search(re.sub(r"\{\w+\}|kunren heal", "", text.ja)), text


def test_names_that_are_filled_in_are_plain() -> None:
    assert all(not places(text.en + text.ja) for text in NAMES.values())


def test_no_id_is_in_two_domains() -> None:
    text = Text("a", "あ")
    with pytest.raises(ValueError, match="registered twice: x"):
        Domains.of([Domain("one", words={"x": text}), Domain("two", words={"x": text})])


@pytest.mark.parametrize("metric", DOMAINS.metrics)
@pytest.mark.parametrize("window", ["all", "after_alert", "after_first_step", "during_fault", "after_fault"])
def test_every_metric_has_a_name_in_both_languages(metric: str, window: str) -> None:
    assert JAPANESE.search(metric_name("ja", metric, window))
    assert not JAPANESE.search(metric_name("en", metric, window))
    assert not ENGLISH.search(metric_name("ja", metric, window, of="orders"))


def test_no_two_metrics_have_the_same_name() -> None:
    for lang in ("en", "ja"):
        names = [metric_name(lang, metric) for metric in DOMAINS.metrics]  # type: ignore[arg-type]
        assert len(set(names)) == len(names)


MADE_OF_PARTS = (
    "planned.",
    "damage.",
    "unsupported.",
    "without.",
    "figures.acted-on",
    "figures.acts-undecidable",
)
"""How ids begin that the code puts together."""


def test_no_words_are_left_of_what_nothing_says_any_more() -> None:
    code = "\n".join(path.read_text() for path in SOURCES.rglob("*.py") if path.name != "words.py")
    dead = [id_ for id_ in WORDS if f'"{id_}"' not in code and not id_.startswith(MADE_OF_PARTS)]
    kinds = [id_.partition(".")[2] for id_ in WORDS if id_.startswith("damage.")]
    dead += [kind for kind in kinds if f'"{kind}"' not in code and f'"damage.{kind}"' not in code]
    assert dead == []


def found_in(history: History) -> Iterator[CheckResult]:
    yield from (run_check(check, history) for check in CHECKS.values())
    yield from (result for _, result in run_checks(history))
    yield CheckResult(Status.UNKNOWN, reasons=list(history.damage))


def histories() -> Iterator[History]:
    for arm in ("runbook", "no-action", "no-fault", "false-alarm"):
        yield correct(2, arm).history()
        yield correct_night(2, arm).history()
    for make, defects in ((correct, DEFECTS), (correct_night, NIGHT_DEFECTS)):
        for defect in defects:
            draft: Draft = make(2)
            defect.plant(draft, random.Random(2))
            yield draft.history()


def test_whatever_the_checks_find_of_correct_and_of_spoilt_runs_has_words() -> None:
    found = [result for history in histories() for result in found_in(history)]
    assert {each.id for result in found for each in (*result.counts, *result.reasons)} - set(WORDS) == set()
    said = {sentence("ja", result) for result in found}
    assert len(said) > 100
    assert [words for words in said if ENGLISH.search(words)] == []
    for result in found:  # every place is filled
        for reason in result.reasons:
            assert places(WORDS[reason.id].en) <= set(reason.values), reason


@pytest.mark.parametrize(("found", "en", "ja"), [
    (Count("orders.twice-at-exchange", 9, 803), "9 of 803 orders twice at the exchange", "取引所での二重注文 9/803 件"),
    (Reason("no-book", {"books": ["bank"]}), "cannot tell: no book bank", "判定できない（帳簿 bank がない）"),
    (
        Reason("planned.duration", {"bound": "exactly", "planned": 1.0, "fault": "0 (kill)", "was": [0.044, 0.16]}),
        "duration of fault 0 (kill): planned 1.0 s, was 0.044–0.16 s",
        "障害 0 (kill) の継続時間: 計画 1.0 s、実績 0.044–0.16 s",
    ),
    (
        Reason("planned.observation", {"bound": "at-most", "planned": 9.0, "was": [9.6, 9.6]}),
        "observation: planned at most 9.0 s, was 9.6 s",
        "観測時間: 計画（最長） 9.0 s、実績 9.6 s",
    ),
    (
        Reason("load.arrivals", {"service": "orders", "came": 70, "planned": 74}),
        "arrivals of orders: 70 of 74", "注文の到着 70/74 件",
    ),
    (
        Reason("end.with-words", {"how": "error", "words": "web ended while starting; its log ends: no such file"}),
        "ended: error (web ended while starting; its log ends: no such file)",
        "終了: 異常終了（web が起動中に終了した。ログの末尾: no such file）",
    ),
    (Reason("of-a-later-version", {"n": 2}), "of-a-later-version n=2", "of-a-later-version n=2"),
    (Reason("load.late"), "sent late by – s (p99)", "送信の遅れ – s (p99)"),
])  # fmt: skip
def test_a_finding_in_words(found: Count | Reason, en: str, ja: str) -> None:
    counts, reasons = ([found], []) if isinstance(found, Count) else ([], [found])
    whole = Cause("x", counts, reasons)
    assert (sentence("en", whole), sentence("ja", whole)) == (en, ja)


def test_of_several_counts_the_bad_ones_are_told_and_all_where_none_is_bad() -> None:
    fine, bad = Count("notices.missing", 0, 3), Count("notices.repeated", 1, 2)
    assert sentence("en", Cause("x", [fine, bad], [])) == "1 of 2 notices repeated"
    assert sentence("ja", Cause("x", [fine, fine], [])) == "通知のない約定 0/3 件。通知のない約定 0/3 件"
    assert sentence("en", Cause("x", [fine], [Reason("not-exercised")])) == "0 of 0, not exercised"


@pytest.mark.parametrize("name", [name for name in UNJUDGED if name not in ("failed later", "not labelled")])
def test_why_a_run_cannot_judge_is_said_in_japanese(name: str) -> None:
    """But for what a system or a service said itself: that is quoted."""
    card, _ = card_of(name)
    quoted = "Too many open files"
    assert not ENGLISH.search(cause(card, "ja").replace(quoted, ""))
    assert not ENGLISH.search(follows(card, "ja"))
    assert not ENGLISH.search(re.sub(r"kunren [a-z]+( up)?( RUN)?|events.jsonl", "", fix(card, "ja")))


def test_limits_of_the_drill_are_its_authors_words_and_the_others_are_made_of_ids() -> None:
    draft = correct(1, effect=False)
    draft.plan = msgspec.structs.replace(draft.plan, limits=["one exchange only"], limits_ja=["取引所は一つのみ"])
    card = score(draft.history(), None)
    assert card.limits[0].words == {"en": "one exchange only", "ja": "取引所は一つのみ"}
    en, ja = limits(card, "en"), limits(card, "ja")
    assert (en[0], ja[0]) == ("one exchange only", "取引所は一つのみ")
    assert (en[-1], ja[-1]) == (
        "database: the target named none",
        "データベース: 対象システムでは使用していない",
    )
    assert "影響の発生: 発生せず" in ja
    assert "影響を未然に防止（異常なし）" in ja
    assert not [line for line in ja if ENGLISH.search(line)]


def test_a_limit_without_words_in_japanese_is_told_in_english() -> None:
    card = score(correct(1).history(), None)
    only = msgspec.structs.replace(card.limits[0], words={"en": "made up", "ja": ""})
    assert limit("ja", only) == "made up"


def test_the_japanese_card_speaks_japanese() -> None:
    card: Any = passed() | {"limits": [{"words": {"en": "one exchange only", "ja": "取引所は一つのみ"}}]}
    twice = {"id": "orders.twice-at-exchange", "bad": 9, "of": 803, "evidence": []}
    card["checks"][2] |= {"verdict": "fail", "counts": [twice], "reasons": []}
    text = render_card(card, None, RUN, lang="ja").plain
    assert "限界: 取引所は一つのみ" in text
    assert "no-duplicates: 取引所での二重注文 9/803 件" in text


@pytest.mark.parametrize("kind", [*KINDS.values(), NO_THREAD, UNHANDLED, ENDED, RESTARTED])
def test_an_error_of_our_own_is_said_in_japanese_whatever_its_kind(kind: str) -> None:
    error = Reason("own.error", {"part": "proxy", "n": 3, "kind": kind})
    assert sentence("ja", Cause("x", [], [error])) == f"訓練側の プロキシ: {NAMES[f'kind.{kind}'].ja} 3 件"


def test_what_is_said_of_our_own_parts_is_translated() -> None:
    draft = correct(2)
    own_error("load")(draft)
    unaccounted("harness", "proxy")(draft)
    says = sentence("ja", run_check(CHECKS["own-parts-sound"], draft.history()))
    assert says.endswith("訓練側の 実行側、プロキシ から異常の有無の報告がない")
    sound = sentence("ja", run_check(CHECKS["own-parts-sound"], correct(2).history()))
    assert sound == "訓練側の各部に異常なし: 実行側、負荷生成、起動管理、プロキシ"


@pytest.mark.parametrize("thing", THINGS)
def test_what_is_not_offered_is_said_in_both_languages(thing: str) -> None:
    of: Mapping[str, Text] = WORDS
    assert "対象システムは" in of[f"unsupported.{thing}"].ja
    assert of[f"without.{thing}"].en
