"""The edge's side of TLS: a context from files, made whole before anybody is served with it.

A certificate and a key that do not belong together, loaded into a context in use, break every handshake from then on
although the loading fails; so a context is never loaded twice: a new one takes its place.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from targets.brokerage.edge import certificates
from targets.brokerage.edge.certificates import CHAIN, KEY, Shown


class NotLoaded(Exception):
    """The files make no pair that could be served; the message says why."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A context, and the chain that it shows."""

    context: ssl.SSLContext
    shown: Shown


def load_all(stack: Path, names: Iterable[str]) -> Mapping[str, Loaded]:
    """Name -> what it is served with from now on; NotLoaded where one of them cannot be, and then none is."""
    return {name: load(certificates.place(stack, name)) for name in names}


def load(folder: Path) -> Loaded:
    """A new context from the files as they are now; NotLoaded.

    Whether sessions may be resumed is a matter of the context that ``choosing`` has made.
    """
    context = _context()
    try:
        context.load_cert_chain(folder / CHAIN, folder / KEY)
        return Loaded(context, certificates.in_file(folder / CHAIN))
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise NotLoaded(f"{CHAIN} and {KEY} in {folder} cannot be served: {_why(error)}") from error


def choosing(choose: Callable[[ssl.SSLObject, str | None], None], tickets: int = 0) -> ssl.SSLContext:
    """One without a chain of its own: ``choose`` gives each connection that of the name that it asks for.

    Without ``tickets`` every connection makes a whole handshake, so nobody goes on with a certificate of before. With
    some, who has resumed a session is shown none: tickets are this context's, whatever chain has been loaded since.
    """
    context = _context(tickets)
    context.sni_callback = lambda connection, name, _: choose(connection, name)
    return context


def _context(tickets: int = 0) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3  # 1.2 would resume sessions by their ids
    context.num_tickets = tickets
    return context


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    if reason == "KEY_VALUES_MISMATCH":
        return "the key is not that of the certificate"
    return reason or getattr(error, "strerror", None) or str(error)
