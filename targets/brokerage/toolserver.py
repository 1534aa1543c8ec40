"""Runs the robot operator's ``brokerctl`` commands without starting an interpreter for each of them.

Starting Python and importing its modules takes most of the time of a short command, and on a busy machine seconds of
it: time that is the harness's own and would count against whoever recovers. Here everything is imported once, and each
command runs in a process forked for it, exactly as if it had been typed: the same ``main``, the same output and exit
status. People type ``brokerctl`` as before.

One Unix socket in the stack's folder; one connection a command, JSON lines. Request: ``token``, ``words``,
``within_s``. Answer, at once: ``began_ns`` (CLOCK_MONOTONIC, when the command itself begins), or ``own_error`` where
no process could be made; and at its end ``exit``, ``out``, ``err``, which do not come where it was ended after
``within_s``.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import signal
import socket
import socketserver
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from targets import own_errors
from targets.brokerage import brokerctl
from targets.brokerage.config import Config
from targets.brokerage.operations.outcome import HALF_WAY
from targets.commands import content, spool
from targets.parents import die_with_parent
from targets.unixsocket import short_path

SOCKET = "brokerctl.socket"
LONGEST = 1 << 20
HEAR_S = 2.0
ANSWER_S = 1.0
"""How much longer than the command's own limit an answer is waited for."""


class Reply(msgspec.Struct, frozen=True):
    """What a command did; ``exit`` None: it was ended, for its time was up."""

    exit: int | None
    out: str
    err: str
    began_ns: int


class NotServed(Exception):
    """Nobody runs commands there."""


class OwnTrouble(Exception):
    """The server itself could not run the command, which says nothing of the target."""


def ask(folder: Path, token: str, words: Sequence[str], within_s: float) -> Reply:
    """Have a command run that may take ``within_s``; NotServed, OwnTrouble, or OSError of this process's own."""
    request = json.dumps({"token": token, "words": list(words), "within_s": within_s}).encode() + b"\n"
    until = time.monotonic() + within_s
    said: list[Any] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(within_s + ANSWER_S)
        try:
            with short_path(folder, SOCKET) as path:
                line.connect(path)
            line.sendall(request)
            said += (json.loads(each) for each in line.makefile("rb") if each.endswith(b"\n"))
        except TimeoutError:
            pass
        except OSError as error:
            own_errors.raise_if_own(error)
            raise NotServed(str(error)) from error
    return _reply(said, time.monotonic() >= until)


def _reply(said: Sequence[Mapping[str, Any]], time_is_up: bool) -> Reply:
    first = said[0] if said else {}
    if "own_error" in first:
        raise OwnTrouble(first["own_error"])
    if len(said) > 1:
        return msgspec.convert({**first, **said[1]}, Reply)
    if not time_is_up and not first:
        raise NotServed("it ended before the command was begun")
    if not time_is_up:
        return Reply(HALF_WAY, "", "brokerctl ended without an answer; check: brokerctl status", first["began_ns"])
    return Reply(None, "", "", first.get("began_ns", time.monotonic_ns()))


def serves(folder: Path) -> bool:
    """Whether somebody runs commands there."""
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line,
        contextlib.suppress(OSError),
        short_path(folder, SOCKET) as path,
    ):
        line.settimeout(HEAR_S)
        line.connect(path)
        return True
    return False


class _Server(socketserver.ForkingMixIn, socketserver.UnixStreamServer):
    """Forks for each connection; what it cannot do for want of means is told in its log and to who asked."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.pid = os.getpid()
        folder = Path(config.folder)
        (folder / SOCKET).unlink(missing_ok=True)  # of one that was killed
        with short_path(folder, SOCKET) as path:
            super().__init__(path, _Command)

    def get_request(self) -> Any:
        try:
            return super().get_request()
        except OSError as error:
            if (kind := own_errors.kind_of(error)) is not None:
                own_errors.tell(kind, f"accept on {SOCKET}")
                time.sleep(0.1)
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request(request, client_address)
        except OSError as error:
            kind = own_errors.kind_of(error) or f"no new process: {error.strerror}"
            own_errors.tell(kind, "fork for a command")
            with contextlib.suppress(OSError):
                request.settimeout(HEAR_S)
                request.recv(LONGEST)  # what is closed unread is reset, and the answer with it
                request.sendall(json.dumps({"own_error": kind}).encode() + b"\n")
            self.shutdown_request(request)


class _Command(socketserver.StreamRequestHandler):
    """One command, in a process of its own, which dies with the server."""

    timeout = HEAR_S
    server: _Server

    def handle(self) -> None:
        """Run what is asked for, and answer."""
        if not die_with_parent(self.server.pid):
            return
        try:
            request = json.loads(self.rfile.readline(LONGEST))
            if not hmac.compare_digest(str(request["token"]), self.server.config.token):
                return
            words, within_s = [str(word) for word in request["words"]], float(request["within_s"])
        except (ValueError, TypeError, KeyError):  # nobody of ours asks so
            return
        signal.setitimer(signal.ITIMER_REAL, within_s)  # its default action ends the process
        with contextlib.suppress(OSError):  # who asked may go away
            self._say({"began_ns": time.monotonic_ns()})
            answer = _run(["--stack", self.server.config.folder, *words])
            signal.setitimer(signal.ITIMER_REAL, 0)
            self._say(answer)

    def _say(self, fact: Mapping[str, Any]) -> None:
        self.wfile.write(json.dumps(fact).encode() + b"\n")


def _run(words: Sequence[str]) -> dict[str, Any]:
    with spool("stdout") as out, spool("stderr") as err:
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        code = brokerctl.main(words, typed=False)
        sys.stdout.flush()
        sys.stderr.flush()
        return {"exit": code, "out": content(out), "err": content(err)}


def serve(config: Config, sockets: Mapping[str, socket.socket]) -> None:
    """Until it is ended. It listens in the stack's folder, so it is given no sockets."""
    del sockets
    with _Server(config) as server:
        server.serve_forever()
