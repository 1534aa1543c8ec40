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
import psycopg

from targets.brokerage import config as brokerage
from targets.brokerage import postgres
from targets.brokerage.ports import claim_block
from targets.brokerage.world import create_schema, load_world
from targets.proxy_engine import engine_command
from targets.stack import OWNER_LOCK, SERVICES, START_WITHIN_S, Stack, accepts, cache_folder
from targets.target import TargetError

LAUNCHER = "targets.brokerage.launcher"


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
        self._block = claim_block()
        folder = cache_folder() / "stacks" / f"{time.time_ns():x}-{os.getpid()}"
        super().__init__(_configure(self._block.ports, folder, logs.resolve(), seed, clock, proxy))
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
        for pid in _launchers(self.folder):  # one whose start was interrupted before we had it in hand
            end_tree(pid, within_s=0)
        shutil.rmtree(self.folder, ignore_errors=True)
        self._block.release()
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
        self._fill_database()
        self._make_links()
        self._until(lambda: accepts(self.config.ports.launcher), "launcher")
        order = [name for name in SERVICES if name != "postgres"]
        for name in order:
            self.control({"verb": "start", "service": name})
        self._wait_healthy(order)

    def _fill_database(self) -> None:
        dsn = postgres.dsn(self.config.ports.postgres)
        try:
            create_schema(dsn)
            load_world(dsn, list(self._world))
        except psycopg.Error as error:
            words = self._last_words("postgres")
            raise TargetError(f"PostgreSQL did not take the world: {str(error).strip()};{words}") from error

    def _make_links(self) -> None:
        try:
            self._proxies.wait_ready(START_WITHIN_S)
            for link in self.links().values():
                self._proxies.create(link.name, link.listen, link.upstream)
        except TargetError as error:
            raise TargetError(f"the links could not be made: {error};{self._last_words('toxiproxy')}") from error

    def _own(self) -> None:
        """Hold a lock while we live: a stack whose lock is free has lost its owner and may be cleared away."""
        self._owner = (self.folder / OWNER_LOCK).open("w")
        fcntl.flock(self._owner, fcntl.LOCK_EX)

    def _launch(self) -> None:
        read, write = os.pipe()
        self.lifeline = write
        with (Path(self.config.logs) / "launcher.log").open("ab") as log:
            argv = [sys.executable, "-m", LAUNCHER, str(self.folder)]
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


def _launchers(folder: Path) -> list[int]:
    """Children of this process that were started for the stack."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            if {LAUNCHER, str(folder)} <= set(child.cmdline()):
                found.append(child.pid)
    return found


def _configure(
    ports: Sequence[int], folder: Path, logs: Path, seed: int, clock: brokerage.ClockConfig, proxy: str
) -> brokerage.Config:
    own, via = brokerage.Ports.__struct_fields__, brokerage.Via.__struct_fields__
    return brokerage.Config(
        stack=folder.name,
        token=os.urandom(16).hex(),
        seed=seed,
        folder=str(folder),
        logs=str(logs),
        ports=brokerage.Ports(**dict(zip(own, ports, strict=False))),
        via=brokerage.Via(**dict(zip(via, ports[len(own) :], strict=False))),
        clock=clock,
        proxy_engine=proxy,
    )
