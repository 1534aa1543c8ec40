"""The verb that shows whether a finding is no more: findings retest."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from drills.archive.index import indexed
from drills.commands.common import DEFAULT_RUNS, Lang, Runs, console, language, writable
from drills.commands.execution import Proxy, Quiet, chosen, conduct, leave, parse_time, possible
from drills.commands.person import person_of, refuse_person
from drills.commands.syncing import bring_up_to_date
from drills.errors import Refused
from drills.exits import EXIT_FAIL, EXIT_PASS, EXIT_UNKNOWN
from drills.findings.retests import FAIL, NEEDED, NEUTRAL, PASS, attempts, passes_in_a_row, since_last_seen
from drills.findings.store import Store
from drills.record.entries import RETEST
from drills.record.history import PERSON_ACTS, ROBOT_ACTS
from drills.record.register import read_register
from drills.spec.findingsfile import Finding
from drills.spec.planning import arm_of
from drills.spec.request import RunRequest
from reports.findings import print_synced, result
from reports.history_words import words
from reports.texts import Lang as Language

SPARE = 2
"""Runs beyond those needed, for such as cannot judge."""
SEEDS = 1_000_000


def retest(
    ref: Annotated[str, typer.Argument(metavar="ID", help="A finding; others of the same drill are retested with it.")],
    drill: Annotated[
        str | None, typer.Option("--drill", metavar="PATH", help="Where the drill lies now, if not in the catalogue.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Who acts, for a finding of a person's run.")] = None,
    role: Annotated[str, typer.Option("--role", help="In which role.")] = "operator",
    proxy: Proxy = "auto",
    runs: Runs = DEFAULT_RUNS,
    file: Annotated[Path, typer.Option("--file", metavar="FILE", help="The findings.")] = Path("findings.yaml"),
    lang: Lang = "en",
    quiet: Quiet = False,
) -> None:
    """Run the drill again with drawn seeds, as it was when the finding was seen, until it has passed three times in a
    row or failed. Every attempt is in the register, whatever comes of it; one that was thrown away breaks the row.

    Exit 0 when the finding is closed, 1 when a run failed, 2 when too many could not judge.
    """
    said, out = language(lang), console(to_stderr=False)
    writable(str(file))
    finding = Store.read(file).find(ref)
    request = request_for(finding, drill, runs, proxy, name, role)
    if request.person is not None:
        refuse_person([request], out, quiet=quiet)
    out.print(
        words(
            said, "findings.retest.begins", drill=finding.drill, arm=finding.arm, runs=NEEDED + SPARE, ids=finding.id
        ),
        soft_wrap=True,
    )
    last, cut = _carried_out(finding, request, out, said, quiet)
    found = bring_up_to_date(Store.read(file), runs)
    print_synced(out, found, said)
    if cut is not None:
        leave(cut)
    closed = any(each.id == finding.id and each.closed is not None for each in found.findings)
    raise typer.Exit(EXIT_PASS if closed else EXIT_FAIL if last == FAIL else EXIT_UNKNOWN)


def request_for(finding: Finding, drill: str | None, runs: Path, proxy: str, name: str | None, role: str) -> RunRequest:
    """The run in which the finding was seen, with a seed that is not drawn yet. Refused where it cannot be made."""
    if finding.kind == "limit":
        raise Refused(f"{finding.id} is a limit that was loosened", "tighten it and run the drill, or accept the risk")
    if finding.closed is not None:
        raise Refused(f"{finding.id} is closed", "a run that fails again opens it")
    person = person_of(PERSON_ACTS if finding.operator == "human" else ROBOT_ACTS, name, role)
    (loaded,) = chosen([drill or finding.file or finding.drill], every=False, target=finding.target, proxy=proxy)
    if loaded.called != finding.drill:
        raise Refused(f"{loaded.file} is drill {loaded.called}, {finding.id} is of {finding.drill}")
    reaction = parse_time("1s" if finding.reaction_s is None else f"{finding.reaction_s:g}s")
    request = RunRequest(
        loaded.at_pace(finding.pace),
        arm_of(loaded, finding.arm),
        0,
        runs,
        reaction,
        proxy,
        target=finding.target,
        person=person,
        drawn=True,
        purpose=RETEST,
    )
    return possible(request)


def _carried_out(
    finding: Finding, request: RunRequest, out: Console, lang: Language, quiet: bool
) -> tuple[str, BaseException | None]:
    """The last result, and what cut the runs short."""
    last = ""
    for _ in range(NEEDED + SPARE):
        card, cut = conduct(with_seed(request), out, lang, quiet)
        found = attempts(finding, {row.run: row for row in indexed(request.runs).rows}, read_register(request.runs))
        mine = [each for each in found if each.run == card.run]
        last = mine[0].result if mine else ""
        row = passes_in_a_row(since_last_seen(finding, found))
        told = words(
            lang, "findings.retest.result", run=card.run, result=result(last, lang) if last else card.verdict,
            n=len(row), needed=NEEDED,
        )  # fmt: skip
        out.print(told, soft_wrap=True)
        if cut is not None or len(row) >= NEEDED or last not in (PASS, *NEUTRAL):
            return last, cut
    return last, None


def with_seed(request: RunRequest) -> RunRequest:
    """The same with a seed that chance chose just now."""
    return replace(request, seed=secrets.randbelow(SEEDS))
