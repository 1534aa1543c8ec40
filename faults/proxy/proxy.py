"""A named proxy: where it listens, where it leads, what is wrong with it; and the set of them.

States: enabled (listening) and disabled (port refuses, connections dropped). Everything runs in one event loop.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
from collections.abc import Iterator
from typing import Any

from faults.proxy.connection import Connection, Side
from faults.proxy.listener import Listener
from faults.proxy.stream import Meter
from faults.proxy.toxics import Attached

DIRECTIONS = ("upstream", "downstream")
ANYWHERE = "127.0.0.1:0"  # where a proxy listens that was not told where: never beyond this machine
ADDRESS = re.compile(r"(\[(?P<six>[^\[\]]*)\]|(?P<host>[^:\[\]]*)):(?P<port>[0-9]+)")


def address(text: str) -> tuple[str | None, int]:
    """``host:port`` as a pair; no host means every interface. ValueError says what is wrong with it."""
    found = ADDRESS.fullmatch(text)
    if found is None or int(found["port"]) > 65535:
        raise ValueError(f"address {text!r}: want host:port")
    return found["six"] or found["host"] or None, int(found["port"])


def shown(listener: Listener) -> str:
    """The address a listener really has."""
    host, port = listener.address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _numeric(host: str | None) -> str:
    """The host as an address, as far as it can be looked up; nothing for every interface."""
    if host is None or ":" in host:
        return f"[{host}]" if host else ""
    with contextlib.suppress(OSError):
        return socket.gethostbyname(host)
    return host


class CannotListen(Exception):
    """A port cannot be had; the words are those of the original, which clients may look for."""

    def __init__(self, host: str | None, port: int, error: OSError) -> None:
        super().__init__(f"listen tcp {_numeric(host)}:{port}: bind: {os.strerror(error.errno or 0).lower()}")


class Proxy:
    """One proxy. ``toxics`` per direction, in the order they act."""

    def __init__(self, name: str, listen: str, upstream: str) -> None:
        self.name = name
        self.listen = listen
        self.upstream = upstream
        self.enabled = False
        self.connections: set[Connection] = set()
        self.toxics: dict[str, list[Attached]] = {direction: [] for direction in DIRECTIONS}
        self.meters = {direction: Meter() for direction in DIRECTIONS}
        self._listener: Listener | None = None

    async def start(self) -> None:
        """Listen; no-op when it does. CannotListen, OSError for a host that is not known, ValueError for no port."""
        if self.enabled:
            return
        host, port = address(self.listen or ANYWHERE)
        try:
            self._listener = Listener(self.name, host, port, self._accept)
        except socket.gaierror:
            raise
        except OSError as error:
            raise CannotListen(host, port, error) from error
        self.listen = shown(self._listener)
        self.enabled = True

    def stop(self) -> None:
        """Refuse new connections and drop the present ones; no-op when stopped."""
        self.enabled = False
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for connection in list(self.connections):
            connection.abort()

    def same(self, listen: str, upstream: str) -> bool:
        """Whether the addresses are those it has now; ``localhost`` is resolved first."""
        if not listen:
            return False
        host, port = address(listen)
        resolved = f"{socket.gethostbyname(host)}:{port}" if host and ":" not in host else listen
        return resolved == self.listen and upstream == self.upstream

    async def update(self, listen: str, upstream: str, enabled: bool) -> None:
        """Take new addresses (connections are dropped if they differ) and open or close."""
        if not self.same(listen, upstream):
            self.stop()
            self.listen, self.upstream = listen, upstream
        if enabled:
            await self.start()
        else:
            self.stop()

    def all_toxics(self) -> Iterator[Attached]:
        """Upstream first, each in the order they act."""
        for direction in DIRECTIONS:
            yield from self.toxics[direction]

    def find(self, name: str) -> Attached | None:
        """The toxic of that name, if any."""
        return next((toxic for toxic in self.all_toxics() if toxic.name == name), None)

    def add(self, toxic: Attached) -> None:
        """Act on new and on present connections."""
        self.toxics[toxic.direction].append(toxic)
        for connection in list(self.connections):
            connection.stream(toxic.direction).attach(toxic)

    def changed(self, toxic: Attached) -> None:
        """Let present connections have the toxic's new attributes."""
        for connection in list(self.connections):
            connection.stream(toxic.direction).change(toxic)

    def remove(self, toxic: Attached) -> None:
        """Act no longer; what waited goes on its way."""
        self.toxics[toxic.direction].remove(toxic)
        for connection in list(self.connections):
            connection.stream(toxic.direction).detach(toxic)

    def plain(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "name": self.name,
            "listen": self.listen,
            "upstream": self.upstream,
            "enabled": self.enabled,
            "toxics": list(self.all_toxics()),
        }

    def _accept(self) -> Side:
        return Connection(self).client


Proxies = dict[str, Proxy]
"""Name -> proxy: all that a server has."""
