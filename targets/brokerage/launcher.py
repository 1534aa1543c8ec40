"""The stack's launcher: imports everything once, then forks each service; ends them all when its stdin closes.

``targets.brokerage.launcher STACK_FOLDER`` reads ``config.json`` there, starts at once what is a program of its own
(PostgreSQL, the proxy server), and takes one JSON line per connection on its control port (see ``Control``). It
restarts nothing by itself: a service that dies stays dead until somebody starts it. Listening sockets are bound just
before the fork and closed here just after, so that a dead service's port refuses instead of hanging.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from targets import children, own_errors
from targets.brokerage.config import LOOPBACK, Config, load
from targets.brokerage.declaration import Program, Served
from targets.brokerage.processes import owner
from targets.brokerage.service import bind, command, serve, sockets
from targets.brokerage.topology import TOPOLOGY
from targets.brokerage.volumes import keeping
from targets.parents import die_with_parent


@dataclass(slots=True)
class Child:
    """A service's process; ``exit`` is its wait status once it has ended."""

    pid: int
    exit: int | None = None

    @property
    def running(self) -> bool:
        """Whether it has not been reaped yet."""
        return self.exit is None


class Launcher:
    """Starts, signals and reaps the services of one stack. Single-threaded: children are forked from here."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.children: dict[str, Child] = {}
        self._pid = os.getpid()

    def start(self, service: str) -> None:
        """Start ``service`` unless it runs; KeyError for an unknown one, OSError when its port is taken."""
        self.reap()  # one that was killed a moment ago must not count as running
        child = self.children.get(service)
        if child is not None and child.running:
            return
        start = TOPOLOGY.start_of(service)
        pid = self._exec(service, start) if isinstance(start, Program) else self._fork(service, start)
        self.children[service] = Child(pid)

    def send(self, service: str, number: int) -> bool:
        """Send a signal to the service's process; False when it does not run."""
        child = self.children[service]
        if not child.running:
            return False
        os.kill(child.pid, number)
        return True

    def kill(self, pid: int, number: int, among: Sequence[str]) -> dict[str, Any]:
        """Send a signal to one process of the services ``among``: whose it is (or None), ``sent``, and why not."""
        self.reap()  # the pid of one that has ended may be somebody else's by now
        service = owner({name: self.children[name].pid for name in among if self._runs(name)}, pid)
        if service is None:
            return {"service": None, "sent": False, "why": "none of these services has it"}
        try:
            os.kill(pid, number)
        except OSError as error:
            return {"service": service, "sent": False, "why": error.strerror}
        return {"service": service, "sent": True}

    def _runs(self, service: str) -> bool:
        return service in self.children and self.children[service].running

    def reap(self) -> None:
        """Note which children have ended."""
        for child in self.children.values():
            if child.running:
                with contextlib.suppress(ChildProcessError):
                    pid, status = os.waitpid(child.pid, os.WNOHANG)
                    child.exit = os.waitstatus_to_exitcode(status) if pid else None

    def status(self) -> dict[str, Any]:
        """Service -> pid, running or exited, exit status."""
        self.reap()
        return {
            name: {"pid": c.pid, "state": "running" if c.running else "exited", "exit": c.exit}
            for name, c in self.children.items()
        }

    def stop(self) -> None:
        """End all services: politely, then not."""
        programs = [name for name in TOPOLOGY.programs if name in self.children]
        forked = [name for name in TOPOLOGY.components if name in self.children and name not in programs]
        self._end(forked[::-1], 2.0)
        self._end(programs, 3.0)

    def _end(self, services: list[str], within_s: float) -> None:
        for service in services:
            with contextlib.suppress(ProcessLookupError):
                self.send(service, TOPOLOGY.components[service].stop)
                self.send(service, signal.SIGCONT)  # a paused process takes no signal but this and KILL
        deadline = time.monotonic() + within_s
        while self._alive(services) and time.monotonic() < deadline:
            time.sleep(0.01)
        for service in self._alive(services):
            with contextlib.suppress(ProcessLookupError):
                self.send(service, signal.SIGKILL)
        while self._alive(services):
            time.sleep(0.01)

    def _alive(self, services: list[str]) -> list[str]:
        self.reap()
        return [name for name in services if self.children[name].running]

    def _exec(self, service: str, start: Program) -> int:
        with self._log(service) as log:
            process = subprocess.Popen(
                command(start, self.config),
                cwd=children.NEUTRAL,
                env=children.own_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=lambda: self._die_with_parent(start.orphaned),
            )
        # The wait status is collected by reap(); without this Popen would warn when it is dropped.
        process.returncode = 0
        return process.pid

    def _fork(self, service: str, start: Served) -> int:
        bound = sockets(service, self.config)
        pid = os.fork()
        if pid == 0:
            self._become(service, start, bound)
        for each in bound.values():
            each.close()
        return pid

    def _become(self, service: str, start: Served, bound: dict[str, socket.socket]) -> NoReturn:
        status = 1
        try:
            self._die_with_parent(signal.SIGKILL)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            signal.set_wakeup_fd(-1)
            with self._log(service) as log, open(os.devnull) as null:
                os.dup2(null.fileno(), 0)
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            declared = TOPOLOGY.components[service]
            if declared.limited or declared.shares:
                keeping.join(Path(self.config.folder))
            keep = {each.fileno() for each in bound.values()}
            _close_others(keep)
            serve(start, self.config, bound)
            status = 0
        except KeyboardInterrupt:
            status = 130
        except BaseException:  # noqa: BLE001  # last stop of a forked child: log it and never return into the parent's code
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)

    def _die_with_parent(self, number: signal.Signals) -> None:
        """In a child: the kernel sends it this when we die; it ends at once where we have died already."""
        if not die_with_parent(self._pid, number):
            os._exit(1)

    def _log(self, service: str) -> Any:
        return open(Path(self.config.logs) / f"{service}.log", "ab", buffering=0)  # callers close it


class Control:
    """The control port: one JSON line in, one JSON line out, each with the stack's token.

    Verbs: ``status``; ``start`` service; ``signal`` service, signal; ``kill`` pid, signal, among; ``stop``.
    Every service here counts processes as this machine does, so whose number a pid is (``counted_by``) does not matter.
    """

    def __init__(self, launcher: Launcher) -> None:
        self.launcher = launcher
        self.stopping = False

    def answer(self, line: bytes) -> dict[str, Any]:
        """Carry out one request; what goes wrong is in ``error``."""
        try:
            request = json.loads(line)
            if request.pop("token", None) != self.launcher.config.token:
                return {"ok": False, "error": "wrong or missing token"}
            return {"ok": True, **self._do(**request)}
        except (ValueError, TypeError, KeyError, OSError) as error:
            if (kind := own_errors.kind_of(error)) is not None:
                own_errors.tell(kind, f"control port: {error}")
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}

    def _do(self, verb: str, service: str = "", signal: int = 0, **more: Any) -> dict[str, Any]:
        if verb == "start":
            self.launcher.start(service)
        elif verb == "signal":
            return {"sent": self.launcher.send(service, signal)}
        elif verb == "kill":
            return self.launcher.kill(more["pid"], signal, more["among"])
        elif verb == "stop":
            self.stopping = True
        elif verb != "status":
            raise ValueError(f"unknown verb {verb!r}; known: start, signal, kill, stop, status")
        return {"services": self.launcher.status()}


def _close_others(keep: set[int]) -> None:
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) not in keep:
            with contextlib.suppress(OSError):
                os.close(int(name))


def _preload() -> None:
    for each in TOPOLOGY.components.values():
        if isinstance(each.start, Served):
            importlib.import_module(each.start.module)


def _serve_one(listener: socket.socket, control: Control) -> None:
    connection, _ = listener.accept()
    with connection, contextlib.suppress(OSError):
        connection.settimeout(2.0)
        line = connection.makefile("rb").readline(65_536)
        connection.sendall(json.dumps(control.answer(line)).encode() + b"\n")


def run(config: Config) -> None:
    """Start the programs, preload, then obey the control port until told to stop or stdin closes."""
    launcher = Launcher(config)
    control = Control(launcher)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the harness ends us in order
    signal.signal(signal.SIGTERM, lambda *_: setattr(control, "stopping", True))
    try:
        for program in TOPOLOGY.programs:
            launcher.start(program)
        _preload()
        with bind(config.ports["launcher"], LOOPBACK) as listener, selectors.DefaultSelector() as selector:
            selector.register(listener, selectors.EVENT_READ)
            selector.register(sys.stdin, selectors.EVENT_READ)
            while not control.stopping:
                for key, _ in selector.select(timeout=0.25):
                    if key.fileobj is listener:
                        _serve_one(listener, control)
                    elif not os.read(0, 4096):  # the harness and its reaper are gone
                        control.stopping = True
                launcher.reap()
    finally:
        launcher.stop()


def main() -> None:
    """Entry point."""
    run(load(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
