"""The embedded target: the mini-brokerage as processes on this machine, no Docker and no root needed.

``LocalTarget`` starts a stack and ends it; ``targets.stack`` is the handle on one that runs. The launcher ends the
whole stack when its stdin closes: the harness holds the other end, and so does the reaper, who closes it last.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import psutil

from targets import children, hooks, ownership
from targets.brokerage import config as brokerage
from targets.brokerage import postgres
from targets.brokerage.clock import clock_config
from targets.brokerage.furnishing import fill, furnish
from targets.brokerage.topology import TOPOLOGY
from targets.brokerage.volumes import keeping
from targets.brokerage.volumes.component import VOLUMES
from targets.brokerage.world import business_day, make_world
from targets.cache import cache_folder
from targets.keeper import OF_TARGET, below, table
from targets.ports import accepts, claim_block, still_listening
from targets.processes import arguments, belonging
from targets.runtime import Request
from targets.stack import BY_HAND, START_WITHIN_S, Stack
from targets.starting import Starting
from targets.target import OwnPart, TargetError

LAUNCHER = "targets.brokerage.launcher"
LEAVE_WITHIN_S, KILL_WITHIN_S = 2.0, 3.0


class LocalTarget(Starting, Stack):
    """Starts a stack on entering, stops and removes it on leaving.

    The services write their logs to the request's folder; the stack's own state goes to the cache and is removed again.
    """

    def __init__(self, request: Request) -> None:
        """TargetError where the phase has no such time of day, or no ports are free."""
        day = business_day(request.seed)
        try:
            clock = clock_config(request.phase, request.start, request.compression, day)
            self._block = claim_block(TOPOLOGY.block)
        except (KeyError, ValueError, OSError) as error:
            raise TargetError(str(error)) from error
        self._world = make_world(request.seed, day=day, compression=request.compression, begins=clock.business)
        folder = cache_folder() / "stacks" / f"{time.time_ns():x}-{os.getpid()}"
        super().__init__(configure(self._block.ports, folder, request, clock))
        self._launcher: subprocess.Popen[bytes] | None = None
        self._owner: TextIO | None = None
        self._stopping = False
        self._ends: list[int] = list(os.pipe())
        """Of the lifeline: the launcher's end, until it has it, and the one to hold on to."""

    def world(self) -> Sequence[Mapping[str, Any]]:
        """Customers, cash, holdings and prices on the seed's business day."""
        return self._world

    def password(self, customer: str) -> str:
        """By the seed."""
        return brokerage.password(self.config.seed, customer)

    def lifelines(self) -> tuple[int, ...]:
        """The launcher lives while somebody holds it."""
        return tuple(self._ends[-1:])

    def unguarded(self) -> tuple[str, ...]:
        """The launcher, with whom all services die, and the owner's lock."""
        found = []
        if self._launcher is not None and self._launcher.poll() is not None:
            found.append("the launcher, which ends the services, has died")
        if self._owner is not None and ownership.lost(self.folder, self._owner):
            found.append(f"the owner's lock in {self.folder} is gone")
        return () if self._stopping else tuple(found)

    def own_parts(self) -> tuple[OwnPart, ...]:
        """Launcher, proxy, operator's tool, what keeps the volumes; the launcher says whether these run."""
        logs, launcher, runs = self.logs(), None, dict[str, int]()
        if self._launcher is not None and self._launcher.poll() is None:
            launcher = self._launcher.pid
            known = self.control({"verb": "status"})["services"]
            runs = {name: row["pid"] for name, row in known.items() if row["state"] == "running"}
        beside = {"proxy": "toxiproxy", "operator's tool": BY_HAND, "volumes": VOLUMES.name}
        parts = (OwnPart(name, runs.get(process), logs[process]) for name, process in beside.items())
        return OwnPart("launcher", launcher, logs["launcher"]), *parts

    def processor_time(self) -> int:
        """None elsewhere: the launcher and all that it starts are below this process."""
        return 0

    def by_hand(self) -> Iterator[str]:
        """Customers' address, logs, and how to call brokerctl."""
        yield f"customers:  {self.customers_url()}"
        yield f"logs:       {self.config.logs}"
        yield f"operate it: export KUNREN_STACK={self.folder}"
        program = os.path.relpath(Path(sys.executable).parent / "brokerctl")
        yield f"            {program} --role viewer --env {self.config.environment} status"

    def __exit__(self, *exc: object) -> None:
        """Stop all processes and remove the stack's folder; TargetError, and it stays, while something is left."""
        self._stopping = True
        if self._launcher is not None:
            self._tell_to_stop(self._launcher)
        self._let_go()
        if self._launcher is not None:
            end_tree(self._launcher.pid, within_s=8.0, reap=self._launcher)
        _, left = end_members(self.folder, LEAVE_WITHIN_S)
        still = [*hooks.left_over(left), *still_listening(ports_of(self.config).items(), lambda _: False)]
        if not still:
            ownership.remove(self.folder)
        self._block.release()
        if self._owner is not None:
            self._owner.close()
        if still:
            raise TargetError("; ".join(still))

    def _begin(self) -> None:
        self._owner = ownership.claim(self.folder)
        Path(self.config.logs).mkdir(parents=True, exist_ok=True)
        postgres.make_cluster(cache_folder(), self.folder / "pgdata")
        furnish(self.config, [brokerage.LOOPBACK])
        brokerage.save(self.config)
        self._launch()
        self._until(lambda: accepts(self.config.ports["postgres"]), "postgres")
        self._fill_database(self._world)
        self._until(lambda: keeping.kept(self.folder), VOLUMES.name)
        fill(self.config)
        self._make_links()
        self._until(lambda: accepts(self.config.ports["launcher"]), "launcher")
        for name in TOPOLOGY.served:
            self.control({"verb": "start", "service": name})
        self._start_tool()
        self._wait_healthy(TOPOLOGY.served)

    def _make_links(self) -> None:
        try:
            self._proxies.wait_ready(START_WITHIN_S)
            for link in self.links().values():
                self._proxies.create(link.name, link.listen, link.upstream)
        except TargetError as error:
            raise TargetError(f"the links could not be made: {error};{self._last_words('toxiproxy')}") from error

    def _launch(self) -> None:
        with (Path(self.config.logs) / "launcher.log").open("ab") as log:
            self._launcher = subprocess.Popen(
                children.python(LAUNCHER, str(self.folder)),
                cwd=children.NEUTRAL,
                env={**children.own_environment(), OF_TARGET: str(self.folder)},
                stdin=self._ends[0],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        os.close(self._ends.pop(0))

    def _tell_to_stop(self, launcher: subprocess.Popen[bytes]) -> None:
        """In words: its lifeline may be held by others besides us, who look whether we do this to the end."""
        try:
            self.control({"verb": "stop"}, within_s=2.0)
        except TargetError:  # it does not listen yet, or no more
            launcher.terminate()

    def _until(self, ready: Any, service: str) -> None:
        deadline = time.monotonic() + START_WITHIN_S
        while not ready():
            assert self._launcher is not None
            if self._launcher.poll() is not None:
                raise TargetError(f"the launcher ended while starting {service};{self._last_words('launcher')}")
            if time.monotonic() > deadline:
                raise TargetError(f"{service} did not start within {START_WITHIN_S:g} s;{self._last_words(service)}")
            time.sleep(0.01)

    def _let_go(self) -> None:
        while self._ends:
            os.close(self._ends.pop())


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


def members(folder: Path) -> set[int]:
    """Process ids of all that runs of the stack in this folder, whoever started it.

    The launcher and PostgreSQL's server by their arguments, what the launcher started by its label, PostgreSQL's own
    children, which write over both, by where they work; and all that comes of these.
    """
    data = str(folder / "pgdata")
    named = {pid for pid, words in arguments() if data in words or (LAUNCHER in words and str(folder) in words)}
    processes = table()
    found = {*belonging(folder), *named, *(pid for pid in processes if _works_in(pid, data))}
    return (found | below(found, processes)) & processes.keys() - {os.getpid()}


def end_members(folder: Path, within_s: float) -> tuple[list[int], list[int]]:
    """Wait until all of the stack has ended by itself, end by force what has not: that, and what is left even so."""
    forced = _still_there(folder, within_s)
    hooks.send(forced, signal.SIGKILL)
    return forced, _still_there(folder, KILL_WITHIN_S) if forced else []


def ports_of(config: brokerage.Config) -> dict[str, int]:
    """Name -> port of all that a stack listens on."""
    return {**config.ports, **config.via}


def _still_there(folder: Path, within_s: float) -> list[int]:
    """What has not ended after some seconds; looked for again and again, as no child of ours can be waited for."""
    deadline = time.monotonic() + within_s
    while (found := sorted(members(folder))) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def _works_in(pid: int, data: str) -> bool:
    """Whether it is PostgreSQL's and its working folder is the cluster's."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/comm") as name:
        return os.readlink(f"/proc/{pid}/cwd") == data and name.read().strip() == "postgres"
    return False


def configure(ports: Sequence[int], folder: Path, request: Request, clock: brokerage.ClockConfig) -> brokerage.Config:
    """A stack in ``folder`` for the request, with a token of its own; just as many ``ports`` as it takes."""
    own, via = TOPOLOGY.numbered(ports)
    usual = brokerage.Config(
        stack=folder.name,
        token=os.urandom(16).hex(),
        seed=request.seed,
        folder=str(folder),
        logs=str(request.logs.resolve()),
        ports=own,
        via=via,
        clock=clock,
        proxy_engine=request.proxy,
    )
    return brokerage.adjusted(usual, request.settings)
