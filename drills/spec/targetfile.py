"""Target files, read strictly: a system that none of us wrote, and how it starts, is reached, loaded and recognised.

::

    target: notes
    prepare: [[make, -C, "{here}/src", "{shared}/notes"]]    # once, and again when what it reads has changed
    prepare_inputs: ["lib/**/*.c"]                  # what it reads besides; both may be left out
    services:                                       # in the order of starting
      db: {start: ["{here}/db.sh", "{port}"], health: tcp}
      web: {start: [notes, --port, "{port}", --db, "{link.web-db}"], health: /healthz, stop: [notes, stop], within: 20s}
    links:                                          # each through the proxy
      front: {upstream: web}
      web-db: {upstream: db}
    customers: front
    loads: {reading: {pages: {get: /notes, rate: 20, expect: 200}}}
    handshake: {service: web, path: /drill-target.json}
    not_offered: [books, operator, alerts]

Nothing is left to be guessed: what the system does not have stands in ``not_offered``. Arguments are what stands
there: ``3.10`` is no number, ``yes`` no truth value; a literal brace is written twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from pathlib import Path

from drills.errors import unknown
from drills.record.unsupported import THINGS
from drills.spec.reader import SLUG, UNITS, Node, read
from targets.description import (
    LASTING,
    MOST_PARTS,
    PLACEHOLDERS,
    PROXY,
    Argv,
    Description,
    Handshake,
    Hooked,
    Proxied,
    placeholders,
    stray_brace,
)
from targets.inputs import matching
from targets.loopback import is_loopback
from targets.target import Fetch

REQUIRED = ("target", "services", "links", "customers", "loads", "handshake", "not_offered")

OPTIONAL = ("prepare", "prepare_inputs")

METHODS = ("get", "post", "head")

FASTEST = 500
"""Requests/s of one service; a drill needs a score of them."""

LONGEST_START = 120


def load_target(file: Path) -> tuple[Description, bytes]:
    """The description in a target file, and the file's bytes; BadInput with file:line."""
    root = read(file)
    fields = root.fields(REQUIRED, OPTIONAL)
    services, links = _parts(fields["services"]), _parts(fields["links"])
    if len(services) + len(links) > MOST_PARTS:
        raise root.bad(f"{len(services)} services and {len(links)} links; at most {MOST_PARTS} in all")
    known = _known(services, links)
    found = Description(
        name=fields["target"].slug(),
        here=str(file.resolve().parent),
        sha256=hashlib.sha256(root.doc.source).hexdigest(),
        services={name: _service(node, known) for name, node in services.items()},
        links={name: _link(node, services) for name, node in links.items()},
        customers=fields["customers"].one_of(tuple(links), "link"),
        handshake=_handshake(fields["handshake"], services, known),
        loads={name: _load(node) for name, node in _named(fields["loads"]).items()},
        not_offered=_not_offered(fields["not_offered"]),
        prepare=_prepare(fields.get("prepare"), known),
        prepare_inputs=_prepare_inputs(fields.get("prepare_inputs"), file.resolve().parent),
    )
    if found.prepare_inputs and not found.prepare:
        raise fields["prepare_inputs"].bad("prepare_inputs: there is no prepare that could read them", at_key=True)
    _check_ports(root, found)
    return found, root.doc.source


def _parts(node: Node) -> dict[str, Node]:
    """Services or links by their names; the proxy's own is taken."""
    found = _named(node)
    if PROXY in found:
        raise found[PROXY].bad(f"{node.name}: '{PROXY}' is the proxy server's own name", at_key=True)
    return found


def _named(node: Node) -> dict[str, Node]:
    """A mapping with at least one entry, each key a name."""
    found = node.mapping()
    if not found:
        raise node.expected("at least one")
    for name, item in found.items():
        if not SLUG.match(name):
            raise item.bad(f"{node.name}: '{name}' is no name of lower-case letters, digits and hyphens", at_key=True)
    return found


def _known(services: Iterable[str], links: Iterable[str]) -> tuple[str, ...]:
    """The names in braces that any hook may use."""
    return (*PLACEHOLDERS, *(f"port.{name}" for name in services), *(f"link.{name}" for name in links))


def _service(node: Node, known: Collection[str]) -> Hooked:
    fields = node.fields(("start", "health"), ("stop", "port", "within"))
    mine = (*known, "port")
    return Hooked(
        start=_argv(fields["start"], mine),
        health=_health(fields["health"]),
        stop=_argv(fields["stop"], mine) if "stop" in fields else None,
        port=_port(fields.get("port")),
        within_s=_within(fields["within"]) if "within" in fields else 30.0,
    )


def _health(node: Node) -> str:
    return "tcp" if node.written == "tcp" else _path(node, "tcp, or a path such as /healthz")


def _within(node: Node) -> float:
    seconds = node.time(positive=True) / UNITS["s"]
    if seconds > LONGEST_START:
        raise node.expected(f"at most {LONGEST_START}s")
    return seconds


def _port(node: Node | None) -> int | None:
    return None if node is None else node.integer(1024, 65535)


def _link(node: Node, services: Collection[str]) -> Proxied:
    fields = node.fields(("upstream",), ("listen",))
    upstream = fields["upstream"].text("a service, or an address such as 127.0.0.1:5432")
    if upstream not in services and not is_loopback(upstream):
        raise fields["upstream"].bad(
            f"{fields['upstream'].name}: {unknown('service', upstream, tuple(services))}; or an address of this"
            " machine with its port, 127.x.x.x:PORT, [::1]:PORT or localhost:PORT: nothing else is ever put load or"
            " faults on"
        )
    return Proxied(upstream, _port(fields.get("listen")))


def _handshake(node: Node, services: Collection[str], known: Collection[str]) -> Handshake:
    if isinstance(node.value, dict) and "run" in node.value:
        return Handshake(run=_argv(node.fields(("run",))["run"], known))
    fields = node.fields(("service", "path"))
    path = _path(fields["path"], "a path such as /drill-target.json")
    return Handshake(fields["service"].one_of(services, "service"), path)


def _load(node: Node) -> dict[str, Fetch]:
    """Rated service -> its request."""
    return {name: _fetch(item) for name, item in _named(node).items()}


def _fetch(node: Node) -> Fetch:
    fields = node.fields(("rate",), (*METHODS, "expect"))
    asked = [name for name in METHODS if name in fields]
    if len(asked) != 1:
        raise node.bad(f"{node.name}: exactly one of {', '.join(METHODS)} says what is asked for")
    (method,) = asked
    rate = fields["rate"].number(0.1, FASTEST)
    expect = fields["expect"].integer(100, 599) if "expect" in fields else 200
    return Fetch(method.upper(), _path(fields[method], "a path such as /notes"), expect, float(rate))


def _not_offered(node: Node) -> tuple[str, ...]:
    found = node.names(THINGS, "thing")
    for thing in THINGS:
        if thing not in found:
            raise node.bad(f"{node.name}: {thing} cannot be taken from a target file by this version; list it here")
    return found


def _prepare(node: Node | None, known: Collection[str]) -> tuple[Argv, ...]:
    if node is None:
        return ()
    items = node.items("a list of commands")
    commands = tuple(_argv(item, known) for item in items)
    for item, argv in zip(items, commands, strict=True):
        passing = [name for name in placeholders(argv) if name not in LASTING]
        if passing:
            raise item.bad(
                f"{item.name}: {{{passing[0]}}} is of one run alone, and what prepare makes is kept for the next;"
                f" it may use {', '.join(f'{{{name}}}' for name in LASTING)}"
            )
    return commands


def _prepare_inputs(node: Node | None, here: Path) -> tuple[str, ...]:
    """Files, folders or patterns below the target file's folder, each of which names something that is there."""
    items = [] if node is None else node.items("a list of files, folders or patterns")
    return tuple(_prepare_input(item, here) for item in items)


def _prepare_input(node: Node, here: Path) -> str:
    pattern = node.text("a file, a folder or a pattern such as src/**/*.py")
    if pattern.startswith("/") or ".." in pattern.split("/"):
        raise node.expected("a path below the target file's folder")
    if not any(matching(here, pattern)):
        raise node.bad(f"{node.name}: '{pattern}' names nothing that is in {here}")
    return pattern


def _argv(node: Node, known: Collection[str]) -> Argv:
    """A command as a list, each argument as it was written: a shell never reads it."""
    items = node.items("a command as a list, such as [notes, --port, '{port}']", least=1)
    return tuple(_word(item, known) for item in items)


def _word(node: Node, known: Collection[str]) -> str:
    word = node.written
    if word is None or (not word and node.value is None):
        raise node.expected("text or a number; an empty argument is written ''")
    for name in placeholders((word,)):
        if name not in known:
            raise node.bad(f"{node.name}: {unknown('name in braces', name, known)}; a literal brace is written twice")
    stray = stray_brace(word)
    if stray is not None:
        raise node.bad(
            f"{node.name}: a single '{stray}' that belongs to no name in braces; a literal one is written"
            f" '{stray * 2}'; known names: {', '.join(known)}"
        )
    return word


def _path(node: Node, what: str) -> str:
    text = node.text(what)
    if not text.startswith("/") or not text.isascii() or any(character <= " " for character in text):
        raise node.expected(what)
    return text


def _check_ports(root: Node, found: Description) -> None:
    """Each port once: what answers there must be what is meant."""
    places = [("services", name, "port", hooked.port) for name, hooked in found.services.items()]
    places += [("links", name, "listen", link.listen) for name, link in found.links.items()]
    seen: set[int] = set()
    for group, name, key, port in places:
        if port is not None and port in seen:
            raise root.child(group).child(name).child(key).bad(f"{group}.{name}.{key}: port {port} stands twice")
        seen.update([] if port is None else [port])
