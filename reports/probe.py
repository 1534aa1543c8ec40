"""A measurement of outages on the terminal: the strip while it goes on, and what was found."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Self

import numpy as np
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from drills.probing.meter import NS, Meter
from drills.probing.outages import Limits, bad, latencies
from drills.probing.report import FoundOutage, Report
from drills.probing.samples import Samples
from reports.strips import BAD, EMPTY, GOOD

PARTLY = "▒"
CELLS = 60


class ProbeScreen:
    """Shows a measurement while it goes on: redrawn on a terminal; in a pipe a line when service goes or comes back."""

    def __init__(self, console: Console, slow: int, *, quiet: bool = False) -> None:
        self._console, self._slow, self._quiet = console, slow, quiet
        self._live = Live(console=console, transient=True, auto_refresh=False) if console.is_terminal else None
        self._told = 0  # requests of which it was told how they went
        self._well = True

    def __enter__(self) -> Self:
        if self._live is not None and not self._quiet:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, meter: Meter, row: int) -> None:
        """As of now, when this request was due."""
        if self._quiet:
            return
        if self._live is not None:
            self._live.update(_picture(meter, self._slow), refresh=True)
        else:
            self._tell(meter)

    def _tell(self, meter: Meter) -> None:
        samples = _ended(meter)
        latest = Samples(*(column[self._told :] for column in _columns(samples)))
        self._told = len(samples)
        if not len(latest):
            return
        wrong = int(bad(latest, Limits(self._slow, meter.plan.step)).sum())
        well = wrong == 0
        if well != self._well:
            self._well = well
            at = (int(latest.due[0]) - meter.began) / NS
            says = "served well again" if well else f"{wrong} of {len(latest)} requests not served well"
            self._console.print(f"{at:8.1f} s  {says}")


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
    if not len(samples):
        return EMPTY * width
    wrong = bad(samples, Limits(slow, 0))
    cells = np.arange(len(samples)) * width // len(samples)
    came, bads = np.bincount(cells, minlength=width), np.bincount(cells[wrong], minlength=width)
    marks = [
        EMPTY if not n else GOOD if not b else BAD if b * 2 > n else PARTLY for n, b in zip(came, bads, strict=True)
    ]
    return "".join(marks)


def _between(low: float, high: float) -> str:
    return f"{low:.3f}–{high:.3f}"


def _picture(meter: Meter, slow: int) -> Group:
    samples = _ended(meter)
    elapsed, lasts = len(meter.taken()) / meter.plan.rate, meter.plan.lasts / NS
    recent = Samples(*(column[-max(1, int(meter.plan.rate)) :] for column in _columns(samples)))
    took = latencies(recent) if len(recent) else None
    wrong = int(bad(recent, Limits(slow, 0)).sum()) if len(recent) else 0
    now = "" if took is None else f"p50 {took[0] / 1e6:.1f} ms  p99 {took[1] / 1e6:.1f} ms  "
    head = Text.assemble((f"{elapsed:7.1f} of {lasts:g} s  ", "dim"), f"{meter.plan.rate:g}/s  {now}")
    head.append(f"last second: {wrong} not served" if wrong else "served well", style="red" if wrong else "green")
    return Group(head, Text(f"  ▕{strip(samples, slow, CELLS)}▏"))


def _ended(meter: Meter) -> Samples:
    """What has surely ended: the requests whose patience would be over, and before the first that is under way."""
    samples = meter.taken()
    upto = len(samples) if not meter.open_rows else min(min(meter.open_rows), len(samples))
    return Samples(*(column[:upto] for column in _columns(samples)))


def _columns(samples: Samples) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    return samples.due, samples.sent, samples.done, samples.how
