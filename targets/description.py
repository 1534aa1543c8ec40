"""A system that none of us wrote, as its target file describes it: plain data, read and checked by ``drills``.

Arguments of hooks may hold ``{NAME}``, replaced when the system is started (``PLACEHOLDERS``). A literal brace is
written twice: ``{{`` and ``}}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from targets.target import Fetch

LABEL = "kunren.drill-target"

NAME = "[a-z][a-z0-9.-]*"

BRACES = re.compile(rf"\{{\{{|\}}\}}|\{{({NAME})\}}|[{{}}]")
"""From left to right: a literal brace, a name in braces, or a brace that is neither."""

ARGUMENT = rf"^([^{{}}\x00]|\{{\{{|\}}\}}|\{{{NAME}\}})*$"
"""An argument without a stray brace, as a pattern for a schema."""

PLACEHOLDERS: Mapping[str, str] = {
    "python": "the Python that runs kunren",
    "here": "the folder of the target file",
    "folder": "a folder of this very run, removed with it; hooks start there",
    "public": "a folder in it with drill-target.json, which says the label and the token",
    "shared": "a folder that is kept between runs",
    "label": LABEL,
    "token": "the run's token",
    "seed": "the run's seed",
}
"""Name -> what it stands for. Beside them ``{port}`` of the hook's service, ``{port.SERVICE}`` and ``{link.NAME}``."""

LASTING = ("python", "here", "folder", "shared", "label")
"""Names that ``prepare`` may use: what it makes outlives the run, so nothing of one run may go into it."""

PROXY = "toxiproxy"
"""The proxy server among the processes of the system; no service or link may be called so."""

MOST_PARTS = 24
"""Services and links that one system may have, each with a port of the run's own."""

Argv = tuple[str, ...]


class Hooked(msgspec.Struct, frozen=True):
    """A service by its hooks. ``health`` is a path on its port that answers 200, or ``tcp``: its port accepts.

    ``start`` is the service or leaves it behind; without ``stop`` it is sent SIGTERM. ``stop`` is asked of what was
    started, be it dead by then. Without ``port`` it is given one.
    """

    start: Argv
    health: str
    stop: Argv | None = None
    port: int | None = None
    within_s: float = 30.0


class Proxied(msgspec.Struct, frozen=True):
    """A link: ``upstream`` is the name of a service, or an address of this machine (``targets.loopback``).

    Without ``listen`` a port is found.
    """

    upstream: str
    listen: int | None = None


class Handshake(msgspec.Struct, frozen=True):
    """Where label and token are shown: what a service answers to GET ``path``, or what ``run`` prints."""

    service: str = ""
    path: str = ""
    run: Argv = ()


class Description(msgspec.Struct, frozen=True):
    """One target file. ``here`` is its folder, ``sha256`` of its bytes; services in the order of starting.

    ``prepare`` is carried out again when what its commands read has changed, or what ``prepare_inputs`` (patterns
    below ``here``) names.
    """

    name: str
    here: str
    sha256: str
    services: dict[str, Hooked]
    links: dict[str, Proxied]
    customers: str
    handshake: Handshake
    loads: dict[str, dict[str, Fetch]]
    unsupported: tuple[str, ...]
    prepare: tuple[Argv, ...] = ()
    prepare_inputs: tuple[str, ...] = ()


def placeholders(argv: Argv) -> Iterator[str]:
    """The names in braces."""
    for word in argv:
        yield from filter(None, BRACES.findall(word))


def stray_brace(word: str) -> str | None:
    """The first brace that neither belongs to a name nor is written twice; None when there is none."""
    return next((found[0] for found in BRACES.finditer(word) if len(found[0]) == 1), None)


def filled(argv: Argv, values: Mapping[str, str]) -> list[str]:
    """The argv with every name in braces replaced and doubled braces halved; KeyError for a name that is not known."""
    return [BRACES.sub(lambda found: values[found[1]] if found[1] else found[0][0], word) for word in argv]


def ends(description: Description, link: str) -> tuple[str, ...]:
    """The services that a link connects: those whose start hook is told where it listens, then its upstream's."""
    clients = [
        name for name, hooked in description.services.items() if f"link.{link}" in placeholders(hooked.start)
    ]  # fmt: skip
    far = description.links[link].upstream
    return (*clients, *([far] if far in description.services else []))
