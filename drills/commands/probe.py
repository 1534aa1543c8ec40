"""The verb that measures outages of any HTTP address: probe."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Annotated

import typer

from drills.commands.common import as_json, console, writable, write
from drills.commands.execution import Quiet, parse_time
from drills.errors import Refused
from drills.exits import CUTS, EXIT_FAIL, EXIT_PASS, EXIT_UNKNOWN, complain
from drills.interrupts import first_signal_tells
from drills.probing.address import METHODS, Address, address, context
from drills.probing.meter import Meter, Plan, carry_out
from drills.probing.report import report
from reports.probe import ProbeScreen, print_probe

FASTEST, LONGEST_S = 5_000.0, 24 * 3600
SIGNALLED = 128
"""A command that a signal ended exits with this and the signal's number."""
EXITS = {"no-outage": EXIT_PASS, "outages": EXIT_FAIL, "cannot-judge": EXIT_UNKNOWN}


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(
        "probe",
        epilog="Examples: kunren probe http://127.0.0.1:8080/healthz · kunren probe https://shop.example/ --rate 50"
        " --for 2h --json outages.json · kunren probe https://127.0.0.1:8443/ --ca root.pem --expect 200-204",
    )(probe)


def probe(
    url: Annotated[str, typer.Argument(metavar="URL", help="An http or https address.")],
    rate: Annotated[float, typer.Option("--rate", help="Requests a second, evenly apart.")] = 100.0,
    lasts: Annotated[str, typer.Option("--for", metavar="TIME", help="How long to measure, such as 30s or 2h.")] = "1m",
    slow: Annotated[str, typer.Option("--slow", help="An answer later than this after it was due is bad.")] = "1s",
    patience: Annotated[str, typer.Option("--timeout", help="After this a request is given up.")] = "2s",
    expect: Annotated[str, typer.Option("--expect", help="Statuses that are good.")] = "200-399",
    method: Annotated[str, typer.Option("--method", metavar="|".join(METHODS))] = "GET",
    connections: Annotated[int, typer.Option("--connections", min=1, help="At most so many at once.")] = 1_000,
    fresh: Annotated[bool, typer.Option("--fresh", help="A new connection for each request.")] = False,
    authority: Annotated[Path | None, typer.Option("--ca", metavar="FILE", help="Trust this authority (PEM).")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Take any certificate for good.")] = False,
    json: Annotated[str | None, typer.Option("--json", metavar="FILE|-", help="What was found, as JSON.")] = None,
    quiet: Quiet = False,
) -> None:
    """Ask an address again and again at fixed instants, and say when it was out: each outage with the earliest and the
    latest instant of its begin and end, its kind and what it cost; latencies from when each request was due.

    Nothing is broken and no drill target is needed: for a migration or a failover that goes on anyway. Ctrl-C ends it
    and tells what was seen. Exit 0 no outage, 1 outages, 2 cannot judge, 3 refused to start.
    """
    writable(json)
    where, plan = address(url, method), _plan(rate, lasts, patience, expect, connections, fresh)
    limit = parse_time(slow, "--slow")
    out = console(to_stderr=json == "-")
    screen = ProbeScreen(out, limit, quiet=quiet)
    meter = Meter(where, plan, _tls(where, authority, insecure), screen)
    cut: list[int] = []

    def stop(number: int) -> None:
        cut.append(number)
        meter.stop()

    with first_signal_tells(stop), screen:
        carry_out(meter)
    found = report(meter, limit)
    if not quiet:
        print_probe(out, found, meter.taken(), limit)
    if json is not None:
        write(as_json(found), json)
    code = SIGNALLED + cut[0] if cut else EXITS[found.verdict]
    if cut:
        complain(CUTS[code])
    raise typer.Exit(code)


def _plan(rate: float, lasts: str, patience: str, expect: str, connections: int, fresh: bool) -> Plan:
    if not 0 < rate <= FASTEST:
        raise Refused(f"--rate {rate:g} is not above 0 and at most {FASTEST:g} a second")
    for_ns = parse_time(lasts, "--for")
    if for_ns > LONGEST_S * 1_000_000_000:
        raise Refused(f"--for {lasts} is longer than a day")
    return Plan(rate, for_ns, parse_time(patience, "--timeout"), _statuses(expect), connections, fresh)


def _statuses(text: str) -> range:
    low, _, high = text.partition("-")
    numbers = (low, high or low)
    if not all(each.isascii() and each.isdigit() and 100 <= int(each) <= 599 for each in numbers):
        raise Refused(f"--expect {text!r} is no status", "such as 200 or 200-204")
    return range(int(numbers[0]), int(numbers[1]) + 1)


def _tls(where: Address, authority: Path | None, insecure: bool) -> ssl.SSLContext | None:
    if not where.tls:
        if authority is not None or insecure:
            raise Refused("--ca and --insecure are for https", "leave them out")
        return None
    return context(authority, verify=not insecure)
