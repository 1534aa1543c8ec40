"""The embedded target: the mini-brokerage as processes on this machine, no Docker and no root needed.

``LocalTarget`` starts a stack and ends it; ``targets.stack`` is the handle on one that runs. The launcher ends the
whole stack when its stdin closes: the harness holds the other end, and so does the reaper, who closes it last.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TextIO

import psutil

from targets.brokerage import config as brokerage
from targets.brokerage import postgres
from targets.brokerage.ports import free_ports
from targets.brokerage.world import create_schema, load_world
from targets.proxy_engine import engine_command
from targets.stack import OWNER_LOCK, SERVICES, START_WITHIN_S, Stack, accepts, cache_folder
from targets.target import TargetError


class LocalTarget(Stack):
    """Starts a stack on entering, stops and removes it on leaving.

    ``world`` is what the books start from; ``logs`` is where the services write theirs. The stack's own state goes to
    the cache and is removed again.
    """

    def __init__(
        self,
        *,
        world: Sequence[Mapping[str, Any]],
        seed: int,
        logs: Path,
        clock: brokerage.ClockConfig,
        proxy: str = "auto",
    ) -> None:
        self._world = world
        self._clock_from = clock
        stack = f"{time.time_ns():x}-{os.getpid()}"
        folder = cache_folder() / "stacks" / stack
        super().__init__(_configure(stack, folder, logs.resolve(), seed, clock, proxy))
        self._launcher: subprocess.Popen[bytes] | None = None
        self._owner: TextIO | None = None
        self.lifeline: int | None = None

    def __enter__(self) -> Self:
        """Start everything; on failure nothing of it is left running."""
        try:
            self._begin()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        """Stop all processes and remove the stack's folder."""
        self._close_lifeline()
        if self._launcher is not None:
            end_tree(self._launcher.pid, within_s=8.0, reap=self._launcher)
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._owner is not None:
            self._owner.close()

    def _begin(self) -> None:
        self.folder.mkdir(parents=True)
        self._own()
        Path(self.config.logs).mkdir(parents=True, exist_ok=True)
        postgres.make_cluster(cache_folder(), self.folder / "pgdata")
        brokerage.save(self.config)
        self._launch()
        self._until(lambda: accepts(self.config.ports.postgres), "postgres")
        create_schema(postgres.dsn(self.config.ports.postgres))
        load_world(postgres.dsn(self.config.ports.postgres), list(self._world))
        self._proxies.wait_ready(START_WITHIN_S)
        for link in self.links().values():
            self._proxies.create(link.name, link.listen, link.upstream)
        self._until(lambda: accepts(self.config.ports.launcher), "launcher")
        order = [name for name in SERVICES if name != "postgres"]
        for name in order:
            self.control({"verb": "start", "service": name})
        self._wait_healthy(order)

    def _own(self) -> None:
        """Hold a lock while we live: a stack whose lock is free has lost its owner and may be cleared away."""
        self._owner = (self.folder / OWNER_LOCK).open("w")
        fcntl.flock(self._owner, fcntl.LOCK_EX)

    def _launch(self) -> None:
        read, write = os.pipe()
        self.lifeline = write
        with (Path(self.config.logs) / "launcher.log").open("ab") as log:
            argv = [sys.executable, "-m", "targets.brokerage.launcher", str(self.folder)]
            self._launcher = subprocess.Popen(argv, stdin=read, stdout=log, stderr=log, start_new_session=True)
        os.close(read)

    def _until(self, ready: Any, service: str) -> None:
        deadline = time.monotonic() + START_WITHIN_S
        while not ready():
            assert self._launcher is not None
            if self._launcher.poll() is not None:
                raise TargetError(f"the launcher ended while starting {service};{self._last_words('launcher')}")
            if time.monotonic() > deadline:
                raise TargetError(f"{service} did not start within {START_WITHIN_S:g} s;{self._last_words(service)}")
            time.sleep(0.01)

    def _close_lifeline(self) -> None:
        if self.lifeline is not None:
            os.close(self.lifeline)
            self.lifeline = None


def lacking(proxy: str) -> tuple[str, ...]:
    """What this machine lacks for an embedded target with that proxy engine, with the mend; starts nothing."""
    found = []
    try:
        postgres.binaries()
    except postgres.PostgresError as error:
        found.append(str(error))
    try:
        engine_command(proxy, 0)
    except TargetError as error:
        found.append(str(error))
    try:
        (cache_folder() / "stacks").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        found.append(
            f"cannot write to {cache_folder()}: {os.strerror(error.errno or 0)}; set KUNREN_CACHE to another folder"
        )
    return tuple(found)


def end_tree(pid: int, within_s: float, reap: subprocess.Popen[bytes] | None = None) -> None:
    """End a process and all its descendants: wait for it to leave by itself, then TERM, then KILL."""
    try:
        root = psutil.Process(pid)
        members = [root, *root.children(recursive=True)]  # before any of them ends: orphans lose their parent
    except psutil.NoSuchProcess:
        members = []
    if reap is not None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            reap.wait(within_s)
    for number in (signal.SIGTERM, signal.SIGKILL):
        for member in members:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.send_signal(number)
        _, members = psutil.wait_procs(members, timeout=2.0)
    if reap is not None:
        reap.wait(2.0)


def _configure(
    stack: str, folder: Path, logs: Path, seed: int, clock: brokerage.ClockConfig, proxy: str
) -> brokerage.Config:
    names = brokerage.Ports.__struct_fields__, brokerage.Via.__struct_fields__
    ports = free_ports(len(names[0]) + len(names[1]))
    return brokerage.Config(
        stack=stack,
        token=os.urandom(16).hex(),
        seed=seed,
        folder=str(folder),
        logs=str(logs),
        ports=brokerage.Ports(**dict(zip(names[0], ports, strict=False))),
        via=brokerage.Via(**dict(zip(names[1], ports[len(names[0]) :], strict=True))),
        clock=clock,
        proxy_engine=proxy,
    )
