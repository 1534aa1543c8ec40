"""``brokerctl cert …``: the certificates of every name, from the vendor to the customers, and their inventory."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from targets.brokerage.edge.names import NAMES
from targets.brokerage.operations.calls import Stack
from targets.brokerage.operations.declared import operation
from targets.brokerage.operations.outcome import CommandResult, HalfWay, NotReached, Refused, done, read
from targets.brokerage.roles import ANYONE, OPERATORS
from targets.operator_tool import Argument, Kind, count, flag, listing, number, seconds

if TYPE_CHECKING:  # what reads certificates is slow to import, and these commands alone need it
    from targets.brokerage.edge.certificates import Shown

PROBE_S = 3.0
HOTLINE_S = 60.0
POLL_S = 0.1
SOON_S = 30 * 86_400.0
"""What ends sooner is to be renewed."""
FULL, LEAF = "full", "leaf"
NEW, KEPT = "new", "kept"


def scan(stack: Stack, args: Namespace) -> CommandResult:
    """``cert scan``: what every name is shown, from outside, whole chains, not verified."""
    from targets.brokerage.edge import certificates

    now, listed = certificates.now(), _inventory(stack)
    seen = {name: _served(stack, name) for name in NAMES}
    rows = [
        {"name": name, "seconds_left": each.seconds_left(now), "chain": each.length, "listed": name in listed}
        for name, each in seen.items()
    ]
    left = min(row["seconds_left"] for row in rows)
    unlisted = sum(not row["listed"] for row in rows)
    says = f"{len(rows)} names served; the first chain ends in {left:.0f} s; {unlisted} not in the inventory"
    lines = tuple(f"{row['name']}: {row['seconds_left']:.0f} s left, chain of {row['chain']}" for row in rows)
    return read(says, {"seconds_left": left, "unlisted": unlisted, "names": rows}, lines)


def request(stack: Stack, args: Namespace) -> CommandResult:
    """``cert request [NAME…] [--rejected]``: call the vendor and wait for what it issues.

    By default for whatever ends soon; ``--rejected``: for whatever was delivered and must not be installed.
    """
    if args.rejected:
        bad = _bad(stack, args.names)
        wanted, none = list(bad), "what the vendor has delivered is good"
        why = f"rejected: {_listed(bad)}; "
    else:
        wanted, none, why = _named(args.names) or _ending(stack), "no chain that is served ends within 30 days", ""
    return _requested(stack, wanted, why) if wanted else done(none, False, {"names": [], "waited": 0.0})


def _requested(stack: Stack, names: Sequence[str], why: str) -> CommandResult:
    began = time.monotonic()
    tickets = {name: stack.ask("vendor", "POST", "/requests", {"name": name})["ticket"] for name in names}
    for name, ticket in tickets.items():
        _keep(Path(stack.config.folder), name, _fetched(stack, ticket, began + HOTLINE_S))
    waited = time.monotonic() - began
    says = f"{why}the vendor has delivered for {', '.join(names)}, after {waited:.1f} s"
    return done(says, True, {"names": list(names), "waited": waited})


def check(stack: Stack, args: Namespace) -> CommandResult:
    """``cert check [NAME…]``: what was delivered, before it is installed: chain up to the root, key, name, time."""
    names, bad = _delivered(stack, args.names), _bad(stack, args.names)
    says = _listed(bad) or f"{', '.join(names)}: chain and key are good"
    return read(says, {"good": not bad, "checked": len(names)})


def install(stack: Stack, args: Namespace) -> CommandResult:
    """``cert install [NAME…]``: put what was delivered where the edge takes it from when it is told to."""
    from targets.brokerage.edge import delivered

    folder, names = Path(stack.config.folder), _delivered(stack, args.names)
    for name in names:
        chain, key = (args.chain or FULL) == FULL, (args.key or NEW) == NEW
        delivered.install(folder, name, whole_chain=chain, with_key=key)
    pair = all(delivered.is_pair(folder, name) for name in names)
    belongs = "chain and key belong together" if pair else "THE KEY IS NOT THAT OF THE CHAIN"
    return done(f"installed for {', '.join(names)}, not served yet; {belongs}", True, {"names": names, "pair": pair})


def verify(stack: Stack, args: Namespace) -> CommandResult:
    """``cert verify [NAME…]``: a new handshake under each name, as customers make it, against what lies in the file."""
    from targets.brokerage.edge import certificates

    now, stale, refused, left = certificates.now(), list[str](), list[str](), list[float]()
    for name in _named(args.names) or NAMES:
        shown = _served(stack, name)
        left.append(shown.seconds_left(now))
        if (why := _refusal(stack, name)) is not None:
            refused.append(f"{name}: {why}")
        if shown.fingerprint != _in_file(stack, name).fingerprint:
            stale.append(f"{name} is not served what lies in its file")
    says = "; ".join((*refused, *stale)) or f"every name is accepted; the first chain ends in {min(left):.0f} s"
    return read(says, {"verified": not refused, "same": not stale, "seconds_left": min(left)})


def inventory(stack: Stack, args: Namespace) -> CommandResult:
    """``cert inventory``."""
    from targets.brokerage.edge import certificates

    now, entries = certificates.now(), _inventory(stack)
    missing = [name for name in NAMES if name not in entries]
    left = min((each.seconds_left(now) for each in entries.values()), default=0.0)
    says = f"{len(entries)} names, the first ends in {left:.0f} s; not listed: {', '.join(missing) or 'none'}"
    return read(says, {"entries": len(entries), "unlisted": len(missing), "seconds_left": left})


def enter(stack: Stack, args: Namespace) -> CommandResult:
    """``cert enter [NAME…]``: into the inventory, as it is served now."""
    from targets.brokerage.edge import inventory as listed

    before, names = _inventory(stack), _named(args.names) or list(NAMES)
    for name in names:
        listed.add(Path(stack.config.folder), name, _served(stack, name))
    after = _inventory(stack)
    new = [name for name in after if name not in before]
    says = f"{len(after)} names in the inventory, new: {', '.join(new) or 'none'}"
    unlisted = sum(name not in after for name in NAMES)
    return done(says, before != after, {"entries": len(after), "unlisted": unlisted})


def _named(names: Sequence[str]) -> list[str]:
    if unknown := [name for name in names if name not in NAMES]:
        raise Refused(f"{unknown[0]} is no name of the edge's; there are {', '.join(NAMES)}")
    return list(names)


def _served(stack: Stack, name: str) -> Shown:
    from targets.brokerage.edge import certificates
    from targets.brokerage.edge.probe import chain_served

    try:
        return certificates.in_handshake(chain_served(stack.config.at("edge"), PROBE_S, name))
    except OSError as error:
        raise NotReached(f"no handshake with the edge as {name}: {error}; {stack.check('edge')}") from error
    except ValueError as error:
        raise HalfWay(f"what {name} is served cannot be read: {error}; {stack.check('edge')}") from error


def _ending(stack: Stack) -> list[str]:
    from targets.brokerage.edge import certificates

    now = certificates.now()
    return [name for name in NAMES if _served(stack, name).seconds_left(now) < SOON_S]


def _bad(stack: Stack, names: Iterable[str]) -> dict[str, str]:
    """Name -> why what was delivered for it must not be installed."""
    from targets.brokerage.edge import delivered

    folder = Path(stack.config.folder)
    found = {name: delivered.trouble(folder, name) for name in _delivered(stack, names)}
    return {name: why for name, why in found.items() if why}


def _listed(bad: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {why}" for name, why in bad.items())


def _refusal(stack: Stack, name: str) -> str | None:
    import ssl

    from targets.brokerage.edge import certificates
    from targets.brokerage.edge.probe import refusal_of

    strict = ssl.create_default_context(cadata=certificates.authority(Path(stack.config.folder)))
    return refusal_of(stack.config.at("edge"), PROBE_S, name, strict)


def _in_file(stack: Stack, name: str) -> Shown:
    from targets.brokerage.edge import certificates

    try:
        return certificates.in_file(certificates.place(Path(stack.config.folder), name) / certificates.CHAIN)
    except (OSError, ValueError) as error:
        raise HalfWay(f"the file of {name} cannot be read: {error}") from error


def _inventory(stack: Stack) -> dict[str, Any]:
    from targets.brokerage.edge import inventory as listed

    try:
        return dict(listed.read(Path(stack.config.folder)))
    except (OSError, ValueError) as error:
        raise HalfWay(f"the inventory cannot be read: {error}") from error


def _delivered(stack: Stack, names: Iterable[str]) -> list[str]:
    from targets.brokerage.edge import delivered

    there = delivered.names(Path(stack.config.folder))
    wanted = _named(list(names)) or there
    if not wanted or (absent := [name for name in wanted if name not in there]):
        raise Refused(f"the vendor has delivered nothing for {absent[0] if wanted else 'any name'}")
    return wanted


def _fetched(stack: Stack, ticket: str, until: float) -> dict[str, Any]:
    while not (found := stack.ask("vendor", "GET", f"/requests/{ticket}"))["ready"]:
        if time.monotonic() > until:
            raise HalfWay(f"nobody has answered at the vendor's hotline within {HOTLINE_S:g} s")
        time.sleep(POLL_S)
    return found


def _keep(folder: Path, name: str, sent: dict[str, Any]) -> None:
    from targets.brokerage.edge import delivered

    delivered.keep(folder, name, sent["leaf"].encode(), sent["intermediate"].encode(), sent["key"].encode())


NOUNS = {"cert": "certificates of every name: scan, renew, verify, inventory"}

_NAMES = Argument("names", "by default whatever it concerns", optional=True, many=True, shown="NAME")

OPERATIONS = (
    operation(
        scan, "cert scan", "what every name is shown from outside, whole chains, against the inventory", ANYONE,
        {"seconds_left": number(), "unlisted": count(), "names": listing()}, read_only=True,
    ),
    operation(
        request, "cert request", "have the vendor issue, and wait; by default for whatever ends within 30 days",
        OPERATORS, {"names": listing(), "waited": seconds()}, _NAMES,
        Argument("--rejected", "whatever was delivered and does not pass the check", Kind.FLAG, optional=True),
        examples=("cert request", "cert request --rejected"),
    ),
    operation(
        check, "cert check", "look at what was delivered before it is installed: chain, key, name, time", ANYONE,
        {"good": flag(), "checked": count()}, _NAMES, read_only=True, verifies=True,
    ),
    operation(
        install, "cert install", "put what was delivered where the edge takes it from; it is not served by that alone",
        OPERATORS, {"names": listing(), "pair": flag()}, _NAMES,
        Argument("--chain", "leaf and intermediate, or the leaf alone", only=(FULL, LEAF), optional=True),
        Argument("--key", "the delivered one, or the one that is there", only=(NEW, KEPT), optional=True),
    ),
    operation(
        verify, "cert verify", "a new handshake under each name as customers make it, against what lies in the file",
        ANYONE, {"verified": flag(), "same": flag(), "seconds_left": number()}, _NAMES, read_only=True, verifies=True,
    ),
    operation(
        inventory, "cert inventory", "which names it has, when their chains end, which served names it lacks", ANYONE,
        {"entries": count(), "unlisted": count(), "seconds_left": number()}, read_only=True,
    ),
    operation(
        enter, "cert enter", "enter names into the inventory as they are served now; by default all", OPERATORS,
        {"entries": count(), "unlisted": count()}, _NAMES,
    ),
)  # fmt: skip
