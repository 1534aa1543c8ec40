"""Listening sockets that say when they cannot accept.

uvloop's own server does not: out of descriptors, libuv drops whoever comes and tells nobody.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from targets import own_errors

BACKLOG = 4096  # thousands of customers may come at once
RETRY_S = 0.05
"""After an accept that failed; meanwhile who comes waits in the kernel's queue."""


class Listener:
    """Accepts on every address of ``host`` (None: every interface) and gives each client a protocol of its own.

    ``name`` is told with an error. OSError where the port cannot be had.
    """

    def __init__(self, name: str, host: str | None, port: int, protocol: Callable[[], asyncio.Protocol]) -> None:
        self._name = name
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._clients: set[asyncio.Task[object]] = set()
        self._sockets: list[socket.socket] = []
        try:
            for family, where in addresses(host, port):
                self._sockets.append(bound(family, where))
        except OSError:
            self.close()
            raise
        for each in self._sockets:
            self._resume(each)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the first of its sockets."""
        host, port = self._sockets[0].getsockname()[:2]
        return str(host), int(port)

    def close(self) -> None:
        """Refuse from now on."""
        for each in self._sockets:
            if each.fileno() >= 0:
                self._loop.remove_reader(each.fileno())
            each.close()

    def _resume(self, listening: socket.socket) -> None:
        if listening.fileno() >= 0:  # not closed meanwhile
            self._loop.add_reader(listening.fileno(), self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        """Take in one of those who wait: one more call would want a descriptor though nobody waits for it."""
        try:
            client, _ = listening.accept()
        except (BlockingIOError, ConnectionAbortedError):  # who waited has left again
            return
        except (OSError, MemoryError) as error:
            own_errors.tell(own_errors.kind_of(error) or own_errors.UNHANDLED, f"accept on {self._name}: {error}")
            self._loop.remove_reader(listening.fileno())
            self._loop.call_later(RETRY_S, self._resume, listening)
            return
        client.setblocking(False)
        task = self._loop.create_task(self._connected(client))
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)

    async def _connected(self, client: socket.socket) -> None:
        """Hand the client over. What goes wrong here is nobody else's doing."""
        try:
            await self._loop.connect_accepted_socket(self._protocol, client)
        except OSError as error:
            client.close()
            if (kind := own_errors.kind_of(error)) is not None:
                own_errors.tell(kind, f"client of {self._name}: {error}")


def addresses(host: str | None, port: int) -> list[tuple[int, Any]]:
    """Family and address of a name or number, or of every interface; OSError where there is none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, where) for family, _, _, _, where in found))


def bound(family: int, where: Any) -> socket.socket:
    """A socket that listens there; OSError where it cannot."""
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(where)
        made.listen(BACKLOG)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made
