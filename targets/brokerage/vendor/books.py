"""What is served, by who looks from outside: the scan's own record, and a last look at names and at our own clients.

The last look goes to each name by a new handshake, as a customer does; holds what is served against the files and the
inventory; and has the brokerage's own clients, by their own settings, meet three listeners that no client may trust.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from targets.brokerage import clients
from targets.brokerage.bookfile import Row, read_lines
from targets.brokerage.config import LOOPBACK, Config
from targets.brokerage.edge import certificates, inventory
from targets.brokerage.edge.certificates import CHAIN, KEY, Shown
from targets.brokerage.edge.names import NAMES, USUAL
from targets.brokerage.edge.probe import chain_served, refusal_of
from targets.brokerage.vendor import authority
from targets.brokerage.vendor.authority import Signer, signed_leaf
from targets.brokerage.vendor.scan import LISTENER, scans_file

WITHIN_S = 2.0
OTHER_NAME = "other.example"
HOUR_S = 3600.0


def read_book(config: Config) -> list[Row]:
    """Its rows as of now; OSError, ValueError when they cannot be read."""
    stack = Path(config.folder)
    scans = [{name: each for name, each in row.items() if name != "n"} for row in read_lines(scans_file(stack))]
    return [*scans, *(_name(config, name) for name in NAMES), *_clients(stack)]


def _name(config: Config, name: str) -> Row:
    stack, where = Path(config.folder), config.at("edge")
    strict = ssl.create_default_context(cadata=certificates.authority(stack))
    refused, shown = refusal_of(where, WITHIN_S, name, strict), _shown(where, name)
    left = 0.0 if shown is None else shown.seconds_left(certificates.now())
    listed = inventory.read(stack).get(name)
    return {
        "kind": "name-served", "t_ns": time.monotonic_ns(), "id": f"{LISTENER}/{name}", "name": name,
        "fingerprint": "" if shown is None else shown.fingerprint, "left_ms": round(left * 1000),
        "length": 0 if shown is None else shown.length, "refused": refused or "",
        "listed": "" if listed is None else listed.fingerprint, **_files(certificates.place(stack, name)),
    }  # fmt: skip


def _shown(where: tuple[str, int], name: str) -> Shown | None:
    try:
        return certificates.in_handshake(chain_served(where, WITHIN_S, name))
    except (OSError, ValueError):
        return None


def _files(folder: Path) -> Row:
    """What lies there; a file that cannot be read is none."""
    try:
        fits = certificates.belongs(folder / CHAIN, folder / KEY)
        return {"in_file": certificates.in_file(folder / CHAIN).fingerprint, "key_fits": fits}
    except (OSError, ValueError):
        return {"in_file": "", "key_fits": False}


def _clients(stack: Path) -> Iterator[Row]:
    with contextlib.ExitStack() as open_now:
        decoys = {name: open_now.enter_context(_listener(stack, each)) for name, each in _decoys(stack).items()}
        for client in clients.CLIENTS:
            context = clients.context(stack, client)
            for decoy, where in decoys.items():
                accepted = refusal_of(where, WITHIN_S, USUAL, context) is None
                yield {
                    "kind": "client-look", "t_ns": time.monotonic_ns(), "id": f"{client}/{decoy}", "client": client,
                    "decoy": decoy, "accepted": accepted,
                }  # fmt: skip


def _decoys(stack: Path) -> Mapping[str, tuple[Signer, bytes]]:
    """Which certificate each shows, and what it shows besides: one that has ended, one by nobody, one for others."""
    between = authority.load(stack / authority.FOLDER).intermediate
    above = authority.pem(between.certificate)
    return {
        "expired": (signed_leaf(between, USUAL, -HOUR_S), above),
        "self-signed": (authority.self_signed(USUAL), b""),
        "wrong-name": (signed_leaf(between, OTHER_NAME, HOUR_S), above),
    }


@contextlib.contextmanager
def _listener(stack: Path, shown: tuple[Signer, bytes]) -> Iterator[tuple[str, int]]:
    """Ends each connection after the handshake; its address."""
    context = _context(stack, *shown)
    with socket.create_server((LOOPBACK, 0)) as server:
        thread = threading.Thread(target=_shake_hands, args=(server, context), daemon=True)
        thread.start()
        yield server.getsockname()
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
    thread.join(WITHIN_S)


def _context(stack: Path, signer: Signer, above: bytes) -> ssl.SSLContext:
    """By way of files, which are all that ssl reads; in the stack's folder, so that nothing can outlive that."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory(dir=stack / authority.FOLDER) as folder:
        chain, key = Path(folder) / CHAIN, Path(folder) / KEY
        certificates.write(chain, authority.pem(signer.certificate) + above)
        certificates.write_key(key, authority.key_pem(signer))
        context.load_cert_chain(chain, key)
    return context


def _shake_hands(server: socket.socket, context: ssl.SSLContext) -> None:
    with contextlib.suppress(OSError):  # it is closed when nobody needs it any more
        while True:
            connection, _ = server.accept()
            connection.settimeout(WITHIN_S)
            with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True):
                pass
