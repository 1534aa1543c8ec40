"""``brokerctl edge …``: the certificate that customers are shown, and how many requests are let in."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from targets.brokerage.operations.calls import Stack
from targets.brokerage.operations.declared import operation
from targets.brokerage.operations.outcome import CommandResult, HalfWay, NotReached, done, read
from targets.brokerage.roles import ANYONE, OPERATORS
from targets.operator_tool import Argument, Kind, count, flag, listing, number, text

PROBE_S = 3.0
SHOWN_DIGITS = 16
OFF = "off"


def show(stack: Stack, args: Namespace) -> CommandResult:
    """``edge show``: what a handshake from outside is shown under the usual name, beside what lies in the file."""
    from targets.brokerage.edge import certificates  # cryptography is slow to import, and needed by this one command
    from targets.brokerage.edge.names import USUAL
    from targets.brokerage.edge.probe import chain_served

    try:
        served = certificates.in_handshake(chain_served(stack.config.at("edge"), PROBE_S, USUAL))
        file = certificates.in_file(certificates.place(Path(stack.config.folder), USUAL) / certificates.CHAIN)
    except OSError as error:
        raise NotReached(f"no handshake with the edge: {error}; {stack.check('edge')}") from error
    except ValueError as error:
        raise HalfWay(f"a certificate cannot be read: {error}; {stack.check('edge')}") from error
    now = certificates.now()
    facts = {
        "fingerprint": served.fingerprint, "seconds_left": served.seconds_left(now), "chain": served.length,
        "file_fingerprint": file.fingerprint, "file_seconds_left": file.seconds_left(now),
        "same": served.fingerprint == file.fingerprint,
    }  # fmt: skip
    beside = "as in the file" if facts["same"] else f"the file has {file.fingerprint[:SHOWN_DIGITS]}: not reloaded"
    left = f"{facts['seconds_left']:.0f} s left in a chain of {served.length}"
    return read(f"served: {served.fingerprint[:SHOWN_DIGITS]}, {left}; {beside}", facts)


def reload(stack: Stack, args: Namespace) -> CommandResult:
    """``edge reload``."""
    found = stack.ask("edge", "POST", "/ops/reload", {})
    names = found["names"]
    says = f"new handshakes are shown another certificate as {', '.join(names)}" if names else "the same as before"
    return done(says, bool(names), found)


def limit(stack: Stack, args: Namespace) -> CommandResult:
    """``edge limit PER_S|off``."""
    wanted = 0 if args.per_s == OFF else args.per_s
    if stack.ask("edge", "GET", "/ops/status")["per_s"] == wanted:
        return done(f"the limit is already {_shown(wanted)}", False, {"per_s": wanted})
    stack.ask("edge", "POST", "/ops/limit", {"per_s": wanted})
    found = stack.ask("edge", "GET", "/ops/status")["per_s"]
    if found != wanted:
        raise HalfWay(f"the limit reads back as {_shown(found)}; {stack.check('edge')}")
    return done(f"the limit is {_shown(found)}", True, {"per_s": found})


def _shown(per_s: int) -> str:
    return f"{per_s} requests a second" if per_s else OFF


NOUNS = {"edge": "the certificate that customers are shown, and the rate limit"}

OPERATIONS = (
    operation(
        show, "edge show", "probe the served certificate from outside, and compare it with the file", ANYONE,
        {"fingerprint": text(), "seconds_left": number(), "chain": count(), "file_fingerprint": text(),
         "file_seconds_left": number(), "same": flag()},
        read_only=True,
    ),
    operation(
        reload, "edge reload", "serve new handshakes from the certificate and key files as they are now", OPERATORS,
        {"fingerprint": text(), "seconds_left": number(), "replaced": text(), "names": listing()},
    ),
    operation(
        limit, "edge limit", "how many requests a second are let in; others are answered 429", OPERATORS,
        {"per_s": count()}, Argument("per_s", "requests a second", Kind.WHOLE, only=(OFF,), shown="PER_S|off"),
        examples=("edge limit 50", "edge limit off"),
    ),
)  # fmt: skip
