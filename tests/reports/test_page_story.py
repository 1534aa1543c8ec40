"""The story's numbers, counted again from samples and books in the plainest way; and what it says without any."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from drills.cards import score
from drills.domains.cash.rows import Posting
from drills.domains.figures import oracle
from drills.domains.orders.rows import ExchangeOrder
from drills.domains.registry import DOMAINS
from drills.judge import timeline
from drills.judge.scorecard import Scorecard
from drills.record.history import NS, OUTCOMES, History, RequestOutcome
from reports.pages.facts import milestones, spent, unserved
from reports.pages.story import Told, story, told
from tests.drills.made_histories import MADE
from tests.drills.synthetic import FAULT, OPENED, at, correct

NUMBER = re.compile(r"(?<![\w-])\d[\d,]*(?:\.\d+)?")
WELL = (RequestOutcome.OK, RequestOutcome.REJECT)

SPOILT = [(f"{made.name} {name}", draft) for made in MADE for name, draft in made.spoilt(3)]
CORRECT = [(f"{made.name} correct {arm}", made.make(3, arm)) for made in MADE for arm in ("runbook", "no-action")]


def numbers(history: History) -> tuple[Scorecard, Told]:
    card = score(history, None)
    return card, told(history, card, milestones(history))


def counted(history: History, since: int, until: int) -> tuple[int, int, int]:
    """Sent, not served and closed, one sample after the other."""
    samples, sent, bad, closed = history.samples, 0, 0, 0
    planned = [samples.names.index(name) for name in history.plan.services if name in samples.names]
    for n in range(len(samples)):
        outcome = OUTCOMES[samples.outcome[n]]
        if (
            samples.name[n] not in planned
            or not since <= samples.intended[n] < until
            or outcome == RequestOutcome.DROPPED
        ):
            continue
        took = int(samples.done[n]) - int(samples.intended[n])
        sent += 1
        bad += outcome not in WELL or samples.done[n] == 0 or took > history.plan.slo.latency
        closed += outcome == RequestOutcome.CLOSED
    return sent, bad, closed


@pytest.mark.parametrize(
    ("name", "draft"), [*CORRECT, *SPOILT[::24]], ids=lambda each: each if isinstance(each, str) else ""
)
def test_requests_of_the_disruption_are_those_in_the_samples(name: str, draft: object) -> None:
    history = draft.history()  # type: ignore[attr-defined]
    card, found = numbers(history)
    end = timeline.observed_until(history)
    whole = counted(history, 0, end)
    assert (found.whole.sent, found.whole.unserved, found.whole.closed) == whole
    if found.outage is None:
        assert card.instants.t_impact is None
        return
    outage = found.outage
    assert counted(history, outage.since, outage.until) == (
        outage.served.sent,
        outage.served.unserved,
        outage.served.closed,
    )
    first = round((outage.since - history.run.t0) / NS, 3)
    assert card.instants.t_impact is not None
    assert card.instants.t_impact[0] <= first <= card.instants.t_impact[1]
    assert outage.back == (card.instants.t_available is not None)
    assert outage.back or outage.until == end


def test_an_outage_of_known_length_is_told_as_long_as_it_was() -> None:
    _, found = numbers(correct(3).history())
    assert found.outage is not None
    assert FAULT <= (found.outage.since - at(0)) / NS <= FAULT + 1
    assert OPENED <= (found.outage.until - at(0)) / NS <= OPENED + 1.5
    assert found.outage.served.closed > 0


@pytest.mark.parametrize(("name", "draft"), SPOILT[::12], ids=lambda each: each if isinstance(each, str) else "")
def test_harm_is_what_the_books_show(name: str, draft: object) -> None:
    history = draft.history()  # type: ignore[attr-defined]
    card, found = numbers(history)
    for metric, split in found.harms.items():
        if card.verdict in ("pass", "fail"):
            assert split.whole == card.number(metric), metric
    if all(book in history.books for book in ("world", "customers", "exchange", "oms")):
        acted = [act.row.t_ns for act in oracle.reliances(history) if act.wrong]
        assert found.harms["wrong_figures_acted_on"].whole == len(acted)
        step = timeline.first_change(history)
        if step is not None:
            assert found.harms["wrong_figures_acted_on"].before_step == sum(t < step for t in acted)


def test_a_leg_posted_twice_is_counted_in_the_book_itself() -> None:
    draft = correct(5)
    leg = next(row for row in draft.oms if isinstance(row, Posting) and row.reference)
    draft.oms.append(type(leg)(**{name: getattr(leg, name) for name in leg.__struct_fields__} | {"id": "again"}))
    history = draft.history()
    _, found = numbers(history)
    legs = Counter((row.reference, row.account, row.yen) for row in history.books["oms"] if isinstance(row, Posting))
    orders = Counter(row.id for row in history.books["exchange"] if isinstance(row, ExchangeOrder))
    again = sum(n - 1 for n in legs.values()) + sum(n - 1 for n in orders.values())
    assert found.harms["duplicated"].whole == again == 1


@pytest.mark.parametrize(
    ("name", "draft"), [*CORRECT, *SPOILT[::24]], ids=lambda each: each if isinstance(each, str) else ""
)
def test_every_number_of_the_story_is_one_of_those(name: str, draft: object) -> None:
    history = draft.history()  # type: ignore[attr-defined]
    card, found = numbers(history)
    title = set(NUMBER.findall(" ".join(card.title.values())))
    for lang in ("en", "ja"):
        said = story(card, found, lang)
        assert len(said) == 4
        assert all(sentence.strip() and "{" not in sentence for sentence in said)
        shown = {float(each.replace(",", "")) for each in NUMBER.findall(" ".join(said)) if each not in title}
        assert shown <= _known(card, found), said


def _known(card: Scorecard, found: Told) -> set[float]:
    """All that a story may say, as it is shown."""
    times = [found.lag, *(found.detect or ()), found.outage and found.outage.seconds]
    times += [end for name in ("available", "recover") for end in card.span(name) or ()]
    parts = [found.whole, *([found.outage.served] if found.outage else [])]
    counts: list[float | None] = [n for each in parts for n in (each.sent, each.unserved, each.closed)]
    splits = [found.actions, *found.harms.values()]
    counts += [n for each in splits for n in (each.whole, (each.whole or 0) - (each.before_step or 0))]
    counts += [found.met, found.of, card.number("affected_yen"), card.number("acknowledged_orders")]
    counts += [card.number("acknowledged_orders_lost"), card.number("phantom_orders"), 1, len(card.alerts)]
    failed = [check for check in card.checks if check.verdict == "fail"]
    counts += [n for check in failed for count in check.counts for n in (count.bad, count.of)]
    counts += [len(failed) - 2]
    for count in (each for check in failed for each in check.counts):
        counts += [float(each.replace(",", "")) for each in NUMBER.findall(DOMAINS.words[count.id].en)]
    shown = {float(f"{abs(t):.1f}" if abs(t) >= 1 else f"{abs(t):.2f}") for t in times if t is not None}
    return shown | {float(n) for n in counts if n is not None}


def test_before_and_after_make_the_whole() -> None:
    history = correct(3).history()
    split = unserved(history, milestones(history))
    step = timeline.first_change(history)
    assert step is not None
    assert split.before_step == counted(history, 0, step)[1]
    assert split.whole == counted(history, 0, timeline.observed_until(history))[1]


def test_where_the_time_went_adds_up_to_the_recovery() -> None:
    history = correct(3).history()
    card, _ = numbers(history)
    found = spent(history, milestones(history))
    recover = card.span("recover")
    assert found is not None
    assert recover is not None
    assert recover[0] <= round(found.whole, 3) <= recover[1]
    assert 4.8 < found.machine < 5.1  # the last step was not over yet
    assert found.over


def test_steps_after_the_recovery_take_none_of_its_time() -> None:
    history = correct(3, effect=False).history()
    assert spent(history, milestones(history)) is None


def test_a_run_without_anybody_has_no_time_of_people() -> None:
    history = correct(3, "no-action").history()
    found = spent(history, milestones(history))
    assert found is None or found.people == 0


def test_what_nobody_can_see_is_not_told_as_nothing() -> None:
    history = correct(3).history(without="oms")
    card, found = numbers(history)
    said = story(card, found, "en")
    assert "cannot be seen" in said[2]
