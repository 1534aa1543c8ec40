"""What ``run`` and ``verify`` share: what to run, one run with its card, and leaving early."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from drills import api
from drills.commands.common import writable, write
from drills.commands.person import keys_of
from drills.errors import MissingMeans, Refused
from drills.execution.events import HOW
from drills.execution.openfiles import refuse_lack
from drills.exits import CUTS, EXIT_FAIL, EXIT_HUNG_UP, EXIT_PASS, EXIT_TERMINATED, EXIT_UNKNOWN, complain
from drills.interrupts import HungUp, Terminated, exit_of, first_signal_tells
from drills.judge.scorecard import Scorecard
from drills.record.folder import card_bytes
from drills.record.history import REACTION
from drills.spec import planning
from drills.spec.drill import Drill, catalogue, load_drill
from drills.spec.library import library
from drills.spec.places import places
from drills.spec.reader import TIME, UNITS
from drills.spec.request import RunRequest, runbook_for
from drills.spec.runbook_text import time_words
from drills.spec.target import system, words_of
from reports.junit import junit_bytes
from reports.live import Screen
from reports.openmetrics import openmetrics_bytes
from reports.person import PersonScreen
from reports.summary import summary
from reports.terminal import print_card
from reports.texts import Lang

Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Decides onset, arrivals and fills; default: drawn.")]
Reaction = Annotated[str, typer.Option("--reaction", help="How long the robot waits after the alert, such as 6s.")]
Proxy = Annotated[str, typer.Option("--proxy", metavar="auto|embedded|toxiproxy", help="auto prefers the real one.")]
Json = Annotated[str | None, typer.Option("--json", metavar="FILE|-", help="The card (several: a summary) as JSON.")]
Junit = Annotated[str | None, typer.Option("--junit", metavar="FILE", help="One testcase per objective and check.")]
OpenMetrics = Annotated[
    str | None, typer.Option("--openmetrics", metavar="FILE|-", help="What was shown, for a monitoring system.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no card.")]

USUAL_REACTION = time_words(REACTION)

VERDICTS = {"pass": EXIT_PASS, "fail": EXIT_FAIL}


def chosen(names: list[str] | None, every: bool, target: str, proxy: str) -> list[Drill]:
    """The drills meant; Refused where one is not known or the target or this machine lacks what one needs."""
    if every == bool(names):
        raise Refused("name at least one drill, or --all", f"known: {', '.join(catalogue(variants=True))}")
    runtime = system(target)
    words = words_of(target)
    found = [load_drill(name, words) for name in (names or catalogue(variants=True))]
    for drill in found:
        planning.refuse_missing(drill, runtime.capabilities(), target)
    lacks = runtime.lacking(proxy)
    if lacks:
        raise MissingMeans(lacks)
    return found


def possible(request: RunRequest) -> RunRequest:
    """The request itself; Refused for an arm that drill or target has not, a runbook that does not hold, and where this
    machine cannot keep enough files open."""
    runbook_for(request)
    planning.refuse_arm(request.drill, request.arm, system(request.target).capabilities(), request.target)
    refuse_lack(request)
    return request


def drawn_seed(asked: int | None) -> int:
    """The seed asked for, else one drawn once a command, so that all its arms meet the same fault."""
    return secrets.randbelow(1_000_000) if asked is None else asked


def parse_time(text: str, option: str = "--reaction") -> int:
    """``1s``, ``250ms`` … in ns; Refused for anything else."""
    match = TIME.match(text)
    if match is None or match[2] not in UNITS:
        raise Refused(f"{option} {text!r} is no time with its unit", "such as 1s, 250ms or 2m")
    return int(float(match[1]) * UNITS[match[2]])


def conduct(request: RunRequest, out: Console, lang: Lang, quiet: bool) -> tuple[Scorecard, BaseException | None]:
    """Run and judge one; its card, and what forbids to start another: Refused, KeyboardInterrupt or Terminated.

    A run that failed half-way still gets its card; why it failed is said.
    """
    stop, terminal = api.Stop(), None if request.person is None else api.Terminal()
    view = _view(request, out, lang, quiet, terminal)
    with view as seen, first_signal_tells(lambda number: stop.request(HOW[number])):
        try:
            result = api.run(request, (seen, complaints), stop=stop, terminal=terminal)
        except api.Stopped as stopped:
            raise error_of(stopped.cut) from None
    if not quiet:
        print_card(out, result.card, result.history, result.folder, lang=lang)
    for error in result.observer_errors:
        complain(f"the view of the run was lost: {type(error).__name__}: {error}")
    if result.cut is not None and result.cut.how is api.How.FAILED:
        complain(result.cut.message)
        return result.card, None
    return result.card, None if result.cut is None else error_of(result.cut)


@contextmanager
def _view(
    request: RunRequest, out: Console, lang: Lang, quiet: bool, terminal: api.Terminal | None
) -> Iterator[api.Observer]:
    """What is seen of a run: its progress, or where a person acts what that one has to see and nothing else."""
    if terminal is None:
        with Screen(out, quiet=quiet) as screen:
            yield screen
        return
    runbook = runbook_for(request)
    known = {} if runbook is None else library(request.drill, runbook)
    with PersonScreen(out, known, lang) as seen, keys_of(seen, terminal):
        yield seen


def complaints(event: api.RunEvent) -> None:
    """An observer that hands on what the run complains of."""
    if isinstance(event, api.Complaint):
        complain(event.message)


def error_of(cut: api.Cut) -> BaseException:
    """As it would have been raised here, had the run been in this process."""
    if cut.how is api.How.REFUSED:
        return Refused(cut.message, cut.fix)
    if cut.how is api.How.INTERRUPTED:
        return KeyboardInterrupt()
    return HungUp(EXIT_HUNG_UP) if cut.how is api.How.HUNG_UP else Terminated(EXIT_TERMINATED)


def leave(cut: BaseException, card: Path | None = None) -> NoReturn:
    """End the command as what cut it short demands; says where the last ``card`` lies, which nobody may have seen."""
    if isinstance(cut, Refused):
        raise cut
    code = exit_of(cut)
    where = "" if card is None else f"; the card lies in {card}"
    complain(f"{CUTS[code]}; everything was undone and stopped{where}")
    raise typer.Exit(code)


def exit_code(verdict: str) -> int:
    """Of one run, or of several of one drill together."""
    return VERDICTS.get(verdict, EXIT_UNKNOWN)


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where cards are to go: ``FILE``, or ``-`` for stdout; None: nowhere."""

    json: str | None
    junit: str | None
    openmetrics: str | None
    html: str | None = None

    @property
    def to_stdout(self) -> bool:
        """Whether stdout is for a program, and what people read goes to stderr."""
        return "-" in (self.json, self.openmetrics)

    def refuse_unwritable(self) -> None:
        """Refused before anything starts where one of them could not be written afterwards."""
        if self.json == self.openmetrics == "-":
            raise Refused("two outputs are to go to stdout", "name a file for one of them")
        writable(self.json, self.junit, self.openmetrics, self.html)


def deliver(cards: Iterable[Scorecard], to: Outputs, files: Mapping[str, Path]) -> None:
    """To the files asked for: one card as it is, several as a summary. ``files``: run -> the file of its drill."""
    found, json, junit = list(cards), to.json, to.junit
    if json is not None and found:
        write(card_bytes(found[0] if len(found) == 1 else summary(found)), json)
    if junit is not None:
        write(junit_bytes(found, lambda card: places(files[card.run]) if card.run in files else None), junit)
    if to.openmetrics is not None:
        write(openmetrics_bytes(found), to.openmetrics)
