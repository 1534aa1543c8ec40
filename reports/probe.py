"""A measurement of outages on the terminal: the strip while it goes on, and what was found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, Group
from rich.text import Text

from drills.probing.meter import Meter
from drills.probing.outages import Limits, bad, latencies
from drills.probing.report import FoundOutage, Report
from drills.probing.samples import Samples
from drills.record.history import NS
from reports.redrawn import Redrawn
from reports.strips import BAD, EMPTY, GOOD

PARTLY = "▒"
CELLS = 44

Counted: TypeAlias = NDArray[np.generic]


class ProbeScreen(Redrawn):
    """Shows a measurement while it goes on: redrawn on a terminal; in a pipe a line when service goes or comes back.

    Each time it looks only at what has ended since the last time: it is drawn between two requests.
    """

    def __init__(self, console: Console, slow: int, *, quiet: bool = False) -> None:
        super().__init__(console, quiet=quiet, transient=True)
        self._console, self._slow, self._quiet = console, slow, quiet
        self._came: list[int] = []  # requests that ended from one look to the next
        self._bad: list[int] = []  # and how many of them were not served well
        self._told = 0
        self._well = True

    def __call__(self, meter: Meter) -> None:
        """As of now."""
        if self._quiet:
            return
        latest = self._latest(meter)
        if self.live is not None:
            self.live.update(self._picture(meter, latest), refresh=True)
        elif len(latest) and (self._bad[-1] == 0) != self._well:
            self._well = not self._well
            at = (int(latest.due[0]) - meter.began) / NS
            says = "served well again" if self._well else f"{self._bad[-1]} of {len(latest)} requests not served well"
            self._console.print(f"{at:8.1f} s  {says}")

    def _latest(self, meter: Meter) -> Samples:
        """What has ended since the last look: requests before the first that is still under way."""
        samples = meter.taken()
        upto = min((row for row in meter.open_rows if row < len(samples)), default=len(samples))
        latest = samples.part(self._told, upto)
        self._told = max(self._told, upto)
        if len(latest):
            self._came.append(len(latest))
            self._bad.append(int(bad(latest, Limits(self._slow, meter.plan.step)).sum()))
        return latest

    def _picture(self, meter: Meter, latest: Samples) -> Group:
        took = latencies(latest) if len(latest) else None
        now = "" if took is None else f"p50 {took[0] / 1e6:.1f} ms  p99 {took[1] / 1e6:.1f} ms  "
        elapsed = len(meter.taken()) / meter.plan.rate
        head = Text.assemble(
            (f"{elapsed:7.1f} of {meter.plan.lasts / NS:g} s  ", "dim"), f"{meter.plan.rate:g}/s  {now}"
        )
        wrong = self._bad[-1] if self._bad else 0
        head.append(f"{wrong} not served of late" if wrong else "served well", style="red" if wrong else "green")
        return Group(head, Text(f"  ▕{_marks(np.array(self._came), np.array(self._bad), CELLS)}▏"))


def print_probe(console: Console, found: Report, samples: Samples, slow: int) -> None:
    """What was found, in words."""
    console.print(
        f"{found.url}  {found.rate:g}/s for {found.seconds:.1f} s, {found.requests:,} requests", soft_wrap=True
    )
    console.print(Text(f"  ▕{strip(samples, slow, CELLS)}▏  {GOOD} well {PARTLY} partly {BAD} not served"))
    for number, each in enumerate(found.outages, 1):
        console.print(f"outage {number}: {outage_line(each, found)}", soft_wrap=True)
    for line in _lines(found):
        console.print(line, soft_wrap=True)


def outage_line(each: FoundOutage, found: Report) -> str:
    """When it began and ended, how long it lasted, what kind, what it cost."""
    low, high = each.duration
    start = "before the first request" if each.from_the_first else f"{_between(*each.start)} s"
    end = "not over" if each.end is None else f"{_between(*each.end)} s"
    lasted = f"at least {low:.3f} s" if high is None or each.from_the_first else f"{_between(low, high)} s"
    kind = f"{each.kind}, {each.bad / each.of:.0%} of the requests" if each.partial else each.kind
    words = found.words.get(each.kind, "")
    lost = f"{each.lost_service_s:.3f} s of service lost ({each.bad:,} of {each.of:,} requests)"
    return f"{start} → {end}, lasted {lasted}; {kind}{f' ({words})' if words and not each.partial else ''}; {lost}"


def _lines(found: Report) -> Iterator[str]:
    if found.verdict == "cannot-judge":
        yield f"CANNOT JUDGE: {found.why} (free the machine of other work, or ask less often)"
    elif not found.outages:
        yield "no outage: every request was served well"
    if found.latency_ms is not None:
        took = found.latency_ms
        yield f"latency from when each was due: p50 {took['p50']:.1f}, p99 {took['p99']:.1f}, max {took['max']:.1f} ms"
    ended = ", ".join(f"{word} {n:,}" for word, n in found.ended.items())
    statuses = ", ".join(f"{status} {n:,}" for status, n in found.statuses.items())
    yield f"ended: {ended}" + (f"; statuses: {statuses}" if statuses else "")
    for how, says in found.words.items():
        yield f"  {how}: {says}"
    for at, hosts in found.moved:
        yield f"  after {at:.1f} s the name resolved to {hosts}"
    if found.sent_again:
        yield f"  {found.sent_again:,} sent once more, as a kept connection was closed at the other end"
    yield f"requests left {found.lateness_p99_ms:.2f} ms late (p99)"


def strip(samples: Samples, slow: int, width: int) -> str:
    """How the requests went by when they were due."""
    return _marks(np.ones(len(samples)), bad(samples, Limits(slow, 0)), width)


def _marks(came: Counted, bads: Counted, width: int) -> str:
    """Of one number after the other, spread over so many cells."""
    if not len(came):
        return EMPTY * width
    cells = np.arange(len(came)) * width // len(came)
    sums = (np.bincount(cells, each.astype(np.float64), width) for each in (came, bads))
    return "".join(_mark(int(n), int(b)) for n, b in zip(*sums, strict=True))


def _mark(came: int, bads: int) -> str:
    if not came:
        return EMPTY
    return GOOD if not bads else BAD if bads * 2 > came else PARTLY


def _between(low: float, high: float) -> str:
    return f"{low:.3f}–{high:.3f}"
