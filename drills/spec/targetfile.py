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
    unsupported: [books, operator, alerts]

Nothing is left to be guessed: what the system does not have stands in ``unsupported``. Arguments are what stands
there: ``3.10`` is no number, ``yes`` no truth value; a literal brace is written twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from pathlib import Path

import msgspec

from drills.errors import unknown
from drills.spec.forms import decode
from drills.spec.reader import Node, read
from drills.spec.targetform import TargetFile
from targets.description import (
    LASTING,
    MOST_PARTS,
    PLACEHOLDERS,
    PROXY,
    Description,
    Hooked,
    Proxied,
    placeholders,
    stray_brace,
)
from targets.loopback import is_loopback


def load_target(file: Path) -> tuple[Description, bytes]:
    """The description in a target file, and the file's bytes; BadInput with file:line."""
    root = read(file)
    form = decode(TargetFile, root)
    _check_parts(root, form)
    _check_names(root, form)
    _check_arguments(root, form)
    _check_ports(root, form)
    found = Description(
        name=form.name,
        here=str(file.resolve().parent),
        sha256=hashlib.sha256(root.doc.source).hexdigest(),
        services={name: Hooked(**msgspec.structs.asdict(each)) for name, each in form.services.items()},
        links={name: Proxied(**msgspec.structs.asdict(each)) for name, each in form.links.items()},
        customers=form.customers,
        handshake=form.handshake,
        loads=form.loads,
        unsupported=form.unsupported,
        prepare=form.prepare,
        prepare_inputs=form.prepare_inputs,
    )
    return found, root.doc.source


def _check_parts(root: Node, form: TargetFile) -> None:
    """Not too many, and none with the name of the proxy server itself."""
    for key, parts in (("services", form.services), ("links", form.links)):
        if PROXY in parts:
            place = root.child(key).child(PROXY)
            raise place.bad(f"{key}: '{PROXY}' is the proxy server's own name", at_key=True)
    if len(form.services) + len(form.links) > MOST_PARTS:
        services, links = len(form.services), len(form.links)
        raise root.bad(f"{services} services and {links} links; at most {MOST_PARTS} in all")


def _check_names(root: Node, form: TargetFile) -> None:
    """Every service and link that is named is there; where there is no prepare, nothing that it would read."""
    root.child("customers").one_of(tuple(form.links), "link")
    if not form.handshake.run:
        root.child("handshake").child("service").one_of(tuple(form.services), "service")
    for name, link in form.links.items():
        if link.upstream not in form.services and not is_loopback(link.upstream):
            place = root.child("links").child(name).child("upstream")
            raise place.bad(
                f"{place.name}: {unknown('service', link.upstream, tuple(form.services))}; or an address of this"
                " machine with its port, 127.x.x.x:PORT, [::1]:PORT or localhost:PORT: nothing else is ever put load"
                " or faults on"
            )
    if form.prepare_inputs and not form.prepare:
        place = root.child("prepare_inputs")
        raise place.bad("prepare_inputs: there is no prepare that could read them", at_key=True)


def _check_arguments(root: Node, form: TargetFile) -> None:
    """What stands in braces is known where it stands."""
    known = _known(form.services, form.links)
    for name, service in form.services.items():
        place = root.child("services").child(name)
        for key in ("start", "stop") if service.stop is not None else ("start",):
            _check_words(place.child(key), (*known, "port"))
    if form.handshake.run:
        _check_words(root.child("handshake").child("run"), known)
    for index, argv in enumerate(form.prepare):
        place = root.child("prepare").child(index)
        _check_words(place, known)
        passing = [name for name in placeholders(argv) if name not in LASTING]
        if passing:
            raise place.bad(
                f"{place.name}: {{{passing[0]}}} is of one run alone, and what prepare makes is kept for the next;"
                f" it may use {', '.join(f'{{{name}}}' for name in LASTING)}"
            )


def _known(services: Iterable[str], links: Iterable[str]) -> tuple[str, ...]:
    """The names in braces that any hook may use."""
    return (*PLACEHOLDERS, *(f"port.{name}" for name in services), *(f"link.{name}" for name in links))


def _check_words(argv: Node, known: Collection[str]) -> None:
    for node in argv.items():
        word = node.written or ""
        for name in placeholders((word,)):
            if name not in known:
                says = f"{unknown('name in braces', name, known)}; a literal brace is written twice"
                raise node.bad(f"{node.name}: {says}")
        stray = stray_brace(word)
        if stray is not None:
            raise node.bad(
                f"{node.name}: a single '{stray}' that belongs to no name in braces; a literal one is written"
                f" '{stray * 2}'; known names: {', '.join(known)}"
            )


def _check_ports(root: Node, form: TargetFile) -> None:
    """Each port once: what answers there must be what is meant."""
    places = [("services", name, "port", service.port) for name, service in form.services.items()]
    places += [("links", name, "listen", link.listen) for name, link in form.links.items()]
    seen: set[int] = set()
    for group, name, key, port in places:
        if port is not None and port in seen:
            raise root.child(group).child(name).child(key).bad(f"{group}.{name}.{key}: port {port} stands twice")
        seen.update([] if port is None else [port])
