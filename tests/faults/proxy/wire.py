"""The same traffic through a server's proxy, with both ends in our hands, and what each end saw of it.

A script is a tuple of steps. After each one its effect is waited for at the other end; what has not come within the
patience is taken for never. Times only serve to tell ``came`` from ``late``: at least as late as the case says.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import select
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from .engines import Engine

GUARD_S = 20.0  # a hang guard, never an expectation
RESET = struct.pack("ii", 1, 0)
BULK = hashlib.shake_128(b"differential").digest(30_000)
_numbers = itertools.count()


class Step(NamedTuple):
    """``send``, ``close``, ``finish`` (half-close), ``reset``, ``idle``; or a request about the proxy, as ``api``.

    An ``api`` step's ``data`` is method, path below the proxy and body.
    """

    who: Literal["client", "server", "api"]
    what: str
    data: Any = b""


class Toxic(NamedTuple):
    """As the API takes it."""

    type: str
    stream: str
    toxicity: float
    attributes: dict[str, int]


class Case(NamedTuple):
    """``present``: the toxics come when the connection already stands. ``late_s``: from when on an effect is late."""

    name: str
    toxics: tuple[Toxic, ...]
    script: tuple[Step, ...]
    present: bool = False
    late_s: float | None = None


class Seen(NamedTuple):
    """What each end received and how it ended (FIN, RST, open, or own: closed by itself); each step's effect."""

    client: bytes
    client_end: str
    server: bytes
    server_end: str
    effects: tuple[str, ...]
    replies: tuple[int, ...]

    def __repr__(self) -> str:
        ends = f"client {brief(self.client)} {self.client_end}, server {brief(self.server)} {self.server_end}"
        return f"<{ends}, effects {'/'.join(self.effects)}, api {list(self.replies)}>"


def brief(data: bytes) -> str:
    return repr(data) if len(data) < 40 else f"{len(data)} bytes {hashlib.sha256(data).hexdigest()[:6]}"


@dataclass
class End:
    """One end of the connection."""

    sock: socket.socket
    got: bytearray = field(default_factory=bytearray)
    end: str = "open"

    def act(self, step: Step) -> None:
        """Do what the step says; an end that is already gone notes that instead."""
        try:
            if step.what == "send" and self.end not in ("RST", "own"):
                self.sock.sendall(step.data)
            elif step.what == "finish":
                self.sock.shutdown(socket.SHUT_WR)
            elif step.what in ("close", "reset"):
                self._close(step.what == "reset")
        except ConnectionResetError:
            self.end = "RST"
        except BrokenPipeError:
            self.receive()

    def _close(self, reset: bool) -> None:
        if reset:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.sock.close()
        self.end = "own"  # whatever it may have seen just before: the order of those two is the machine's

    def receive(self) -> None:
        """Take what is there, or note the end."""
        try:
            data = self.sock.recv(65536)
        except ConnectionError:
            self.end = "RST"
            return
        self.got += data
        if not data:
            self.end = "FIN"


def pump(ends: tuple[End, End], enough: Any, within_s: float) -> bool:
    """Receive at both ends until it is enough; False when time is up first."""
    until = time.monotonic() + within_s
    while not enough():
        listening = {end.sock: end for end in ends if end.end == "open"}
        left = until - time.monotonic()
        if left <= 0:
            return False
        if not listening:
            return bool(enough())
        for sock in select.select(list(listening), [], [], left)[0]:
            listening[sock].receive()
    return True


@contextlib.contextmanager
def proxied(engine: Engine, case: Case) -> Iterator[tuple[str, tuple[End, End]]]:
    """A proxy with the case's toxics and one connection through it, its client and its server end."""
    name = f"p{next(_numbers)}"
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        listener.settimeout(GUARD_S)
        upstream = f"127.0.0.1:{listener.getsockname()[1]}"
        made = engine.must("POST", "/proxies", {"name": name, "listen": "127.0.0.1:0", "upstream": upstream})
        stack.callback(engine.call, "DELETE", f"/proxies/{name}")
        if not case.present:
            poison(engine, name, case)
        address = ("127.0.0.1", int(made["listen"].rpartition(":")[2]))
        client = stack.enter_context(socket.create_connection(address, timeout=GUARD_S))
        server = stack.enter_context(listener.accept()[0])
        server.settimeout(GUARD_S)
        ends = (End(client), End(server))
        if case.present:
            greet(ends)
            poison(engine, name, case)
        yield name, ends


def poison(engine: Engine, name: str, case: Case) -> None:
    for number, toxic in enumerate(case.toxics):
        engine.must("POST", f"/proxies/{name}/toxics", {"name": f"t{number}", **toxic._asdict()})


def greet(ends: tuple[End, End]) -> None:
    """One byte each way: then both directions stand for certain."""
    for here, there in (ends, ends[::-1]):
        here.sock.sendall(b"!")
        assert pump(ends, lambda there=there: bool(there.got), GUARD_S)
        there.got.clear()


def watch(engine: Engine, case: Case, patience_s: float) -> Seen:
    """Run the case's script on one server."""
    effects, replies = [], []
    with proxied(engine, case) as (name, ends):
        sent = {"client": 0, "server": 0}
        for step in case.script:
            if step.who == "api":
                method, path, body = step.data
                replies.append(engine.call(method, f"/proxies/{name}{path}", body).status)
                continue
            began = time.monotonic()
            here, there = ends if step.who == "client" else ends[::-1]
            here.act(step)
            sent[step.who] += len(step.data)
            came = pump(ends, lambda: reached(step, there, sent[step.who]), patience_s)  # noqa: B023  called at once
            effects.append(effect(came, time.monotonic() - began, case.late_s))
        pump(ends, lambda: all(end.end != "open" for end in ends), patience_s if expects_end(case) else 0.05)
        client, server = ends
        return Seen(bytes(client.got), client.end, bytes(server.got), server.end, tuple(effects), tuple(replies))


def expects_end(case: Case) -> bool:
    return any(step.what not in ("send", "idle") for step in case.script)


def reached(step: Step, there: End, sent: int) -> bool:
    """Whether the step's effect has come to the other end: all bytes, or its end."""
    if step.what == "send":
        return len(there.got) >= sent or there.end != "open"
    return there.end != "open"


def effect(came: bool, after_s: float, late_s: float | None) -> str:
    if not came:
        return "never"
    return "late" if late_s is not None and after_s >= late_s else "came"
