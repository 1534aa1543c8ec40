"""All domains with what the judge itself brings: the checks, metrics, harms and words that a run is judged by."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from itertools import chain
from operator import or_

from drills.judge import words
from drills.judge.check import Check
from drills.judge.checks import detection, lateness, own_parts, planned, recovery, validity
from drills.judge.domain import Condition, Domain, Residual
from drills.judge.harm import HarmKind
from drills.judge.measures import METRICS, of_harms
from drills.judge.metric import Metric
from drills.judge.text import Text
from drills.record.books import Row
from drills.record.history import RunRecord

OWN_CHECKS = (detection, validity, planned, lateness, own_parts)
"""Modules of the checks that ask whether a run can judge at all."""


@dataclass(frozen=True, slots=True)
class Domains:
    """``checks``, ``metrics`` and ``words`` by id, in the order in which domains are listed; ``books``: type of rows.

    Checks of validity are asked of every run, the others if the drill names them.
    """

    domains: tuple[Domain, ...]
    checks: Mapping[str, Check]
    metrics: Mapping[str, Metric]
    harms: tuple[HarmKind, ...]
    restored: tuple[Condition, ...]
    reconciled: tuple[Condition, ...]
    residuals: tuple[Residual, ...]
    words: Mapping[str, Text]
    books: Mapping[str, type]

    @staticmethod
    def of(domains: Iterable[Domain]) -> Domains:
        """Put them together; ValueError where two of them use one id."""
        all_ = tuple(domains)
        harms = tuple(kind for domain in all_ for kind in domain.harms)
        residuals = (*(each for domain in all_ for each in domain.residuals), recovery.CLOSED_SERVICES)
        checks = [check for domain in all_ for check in domain.checks]
        checks += [*recovery.checks(residuals), *(check for module in OWN_CHECKS for check in module.CHECKS)]
        metrics = [*METRICS, *(metric for domain in all_ for metric in domain.metrics), *of_harms(harms)]
        texts = [*chain.from_iterable(part.items() for part in (words.WORDS, *(domain.words for domain in all_)))]
        rows = [(book, row) for domain in all_ for book, rows in domain.rows.items() for row in rows]
        _refuse_twice([f"{row.__struct_config__.tag} in {book}" for book, row in rows])
        _refuse_twice([check.id for check in checks] + [metric.id for metric in metrics])
        _refuse_twice([id_ for id_, _ in texts])
        return Domains(
            domains=all_,
            checks={check.id: check for check in checks},
            metrics={metric.id: metric for metric in metrics},
            harms=harms,
            restored=tuple(each for domain in all_ for each in domain.restored),
            reconciled=tuple(each for domain in all_ for each in domain.reconciled),
            residuals=residuals,
            words=dict(texts),
            books=_books(rows),
        )

    def of_run(self, run: RunRecord) -> Domains:
        """As a run is judged by them: of a domain that judges only with books that it does not list, by what its plan
        names alone."""
        limited = {objective.metric for objective in run.plan.objectives}
        return self._with(run.books, limited)

    def of_any_target(self) -> Domains:
        """What may be asked of every target: also of one with none of the books which a domain is ``only_with``."""
        return self._with((), self.metrics)

    def _with(self, books: Iterable[str], named: Container[str]) -> Domains:
        """Where these are the books; ``named`` metrics stay even without theirs."""
        there = set(books)
        if all(set(domain.only_with) <= there for domain in self.domains):
            return self
        return Domains.of(
            domain if set(domain.only_with) <= there else _as_named(domain, named) for domain in self.domains
        )


def _books(rows: Iterable[tuple[str, type[Row]]]) -> dict[str, type]:
    kinds: dict[str, list[type]] = defaultdict(list)
    for book, row in rows:
        kinds[book].append(row)
    return {book: reduce(or_, of) for book, of in kinds.items()}


def _as_named(domain: Domain, named: Container[str]) -> Domain:
    metrics = tuple(metric for metric in domain.metrics if metric.id in named)
    return replace(domain, metrics=metrics, harms=(), restored=(), reconciled=(), residuals=())


def _refuse_twice(ids: Iterable[str]) -> None:
    again = [id_ for id_, times in Counter(ids).items() if times > 1]
    if again:
        raise ValueError(f"registered twice: {', '.join(again)}")
