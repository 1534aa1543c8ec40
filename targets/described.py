"""The runtime of a system that none of us wrote: a target file says by which hooks it starts and how it is reached.

Nothing is injected into it before it has shown the drill label and a token that is made anew for each run and given to
its hooks (``targets.description.PLACEHOLDERS``): so what answers is what was started for this very run, and no other.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from targets import hooks, ownership, ports, processes
from targets.cache import cache_folder
from targets.description import LABEL, PROXY, Description, Proxied
from targets.finding import Finding, writable
from targets.ports import Block, accepts, claim_block
from targets.proxy_engine import engine_command
from targets.runtime import Request
from targets.site import KIND, Plan, Site, attach, offer, public, save, sites, started
from targets.starting import Starting
from targets.target import Intent, Offer, Startable, TargetError

PREPARE_WITHIN_S = 300.0
"""Once on a machine: it may download."""

START_STOP_S = 10.0
"""For each service."""


class Described:
    """Who finds and ends described systems, whatever file they came from."""

    name = KIND

    def abandoned(self) -> list[Intent]:
        """Folders whose lock nobody holds, and those that are gone although something of the system lives."""
        gone = {folder for folder in processes.folders(sites()) if not folder.exists()}
        return [Intent(KIND, str(folder)) for folder in sorted({*ownership.abandoned(sites()), *gone})]

    def owned(self, intent: Intent) -> bool:
        """Whether somebody holds the lock in the folder."""
        return ownership.owned(Path(intent.stack))

    def attach(self, intent: Intent) -> Site:
        """By the ``site.json`` in its folder."""
        return attach(Path(intent.stack))

    def end(self, intent: Intent) -> Iterator[str]:
        """Stop the services by their hooks, end all that belongs to it, remove the folder.

        TargetError while something is left; then the folder stays, by which it is found again.
        """
        folder = Path(intent.stack)
        site = None
        try:
            site = self.attach(intent)
        except TargetError as error:
            yield f"could not attach: {error}"
        for name, wrong in stop_all(site) if site else ():
            yield f"stopped {name}" if not wrong else unstopped(name, wrong)
        left = [*hooks.left_over(hooks.end(folder)), *ports.answering(started(folder), ports.claimed)]
        if site:
            site.collect()
        if left:
            raise TargetError("; ".join(left))
        ownership.remove(folder)
        yield f"removed {folder}"


DESCRIBED = Described()


class DescribedRuntime:
    """Makes the systems that one target file describes."""

    compression = 1
    """Its clock is everybody's."""

    def __init__(self, description: Description, source: bytes) -> None:
        self.name = description.name
        self.source: bytes | None = source
        self.start_stop_s = START_STOP_S * len(description.services)
        self._description = description

    def offer(self) -> Offer:
        """As the file describes it."""
        return offer(self._description)

    def examine(self) -> Iterator[Finding]:
        """The cache; what the hooks need only they know."""
        yield writable("cache folder", cache_folder(), "set KUNREN_CACHE to a folder you may write to")

    def lacking(self, proxy: str) -> tuple[str, ...]:
        """The proxy engine, and ports that the file names and something else has."""
        taken = [port for port in _fixed(self._description) if accepts(port)]
        found = [f"port {port} of {self.name} is taken: end what listens there" for port in taken]
        try:
            engine_command(proxy, 0)
        except TargetError as error:
            found.append(str(error))
        return tuple(found)

    def make(self, request: Request) -> Startable:
        """One, with a folder, a token and ports of its own."""
        return DescribedTarget(self._description, request)


class DescribedTarget(Starting, Site):
    """Starts the system on entering, stops and removes it on leaving."""

    def __init__(self, description: Description, request: Request) -> None:
        """TargetError where no ports are free."""
        try:
            self._block: Block = claim_block()
        except OSError as error:
            raise TargetError(str(error)) from error
        super().__init__(_plan(description, request, self._block.ports))
        self._owner: TextIO | None = None
        self._stopping = False

    def world(self) -> Sequence[Mapping[str, Any]]:
        """Nothing is known of its data."""
        return ()

    def password(self, customer: str) -> str:
        """Its customers do not log in."""
        return ""

    def lifelines(self) -> tuple[int, ...]:
        """It lives on by itself until somebody ends it: what is left over is found by its keepers."""
        return ()

    def unguarded(self) -> tuple[str, ...]:
        """A keeper that was killed, and the owner's lock when it is gone."""
        killed = any(hook.lost for hook in self._kept)
        found = ["the keeper of a service was killed"] if killed else []
        if self._owner is not None and ownership.lost(self.folder, self._owner):
            found.append(f"the owner's lock in {self.folder} is gone")
        return () if self._stopping else tuple(found)

    def by_hand(self) -> Iterator[str]:
        """Customers' address and logs."""
        yield f"customers:  {self.customers_url()}"
        yield f"logs:       {self.plan.logs}"
        yield f"folder:     {self.folder}"

    def __exit__(self, *exc: object) -> None:
        """Stop all processes and remove the folder; then TargetError where a service could not be stopped.

        The folder stays while something of it is left, by which that is found again.
        """
        self._stopping = True
        wrong = [unstopped(name, why) for name, why in stop_all(self) if why]
        left = [*hooks.left_over(hooks.end(self.folder)), *ports.answering(started(self.folder), lambda _: False)]
        self.collect()
        if not left:
            ownership.remove(self.folder)
        self._block.release()
        if self._owner is not None:
            self._owner.close()
        if wrong or left:
            raise TargetError("; ".join([*wrong, *left]))

    def _begin(self) -> None:
        self._owner = ownership.claim(self.folder)
        Path(self.plan.logs).mkdir(parents=True, exist_ok=True)
        public(self.folder).mkdir()
        card = {"label": LABEL, "token": self.plan.token}
        (public(self.folder) / "drill-target.json").write_text(json.dumps(card) + "\n")
        save(self.plan)
        self._prepare()
        self._make_links()
        for name in self.plan.description.services:
            self.start(name)

    def _prepare(self) -> None:
        """Once for these very commands; one at a time, as runs side by side share what is made."""
        shared = Path(self.plan.shared)
        shared.mkdir(parents=True, exist_ok=True)
        with (shared / "prepared.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = shared / "prepared"
            if done.exists():
                return
            for hook in self.plan.description.prepare:
                self.carry_out(hook, None, PREPARE_WITHIN_S)
            done.touch()

    def _make_links(self) -> None:
        numbers = (self.plan.proxy_port, *self.plan.listens.values())
        self._ours(PROXY).write_text("".join(f"{port}\n" for port in numbers))
        try:
            proxy = self.launch(PROXY, engine_command(self.plan.proxy_engine, self.plan.proxy_port))
            self._proxies.wait_ready(pid=proxy.pid)
            for link in self.links().values():
                self._proxies.create(link.name, link.listen, link.upstream)
        except TargetError as error:
            raise TargetError(f"the links could not be made: {error};{self.last_words(PROXY)}") from error


def stop_all(site: Site) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Stop the services that were started, the last first; each with what went wrong."""
    for name in reversed(site.plan.description.services):
        wrong = site.stop(name)
        if wrong is not None:
            yield name, wrong


def unstopped(service: str, wrong: Sequence[str]) -> str:
    """That it could not be stopped, and why, for people."""
    return f"could not stop {service}: {', and '.join(wrong)}"


def _fixed(description: Description) -> Iterator[int]:
    """Ports that the file names."""
    yield from (hooked.port for hooked in description.services.values() if hooked.port is not None)
    yield from (link.listen for link in description.links.values() if link.listen is not None)


def _plan(description: Description, request: Request, free: Sequence[int]) -> Plan:
    unused = iter(free)
    folder = sites() / f"{time.time_ns():x}-{os.getpid()}"
    return Plan(
        description=description,
        folder=str(folder),
        shared=str(cache_folder() / "prepared" / f"{description.name}-{_digest(description)}"),
        logs=str(request.logs.resolve()),
        token=os.urandom(16).hex(),
        seed=request.seed,
        proxy_engine=request.proxy,
        proxy_port=next(unused),
        ports={name: hooked.port or next(unused) for name, hooked in description.services.items()},
        listens={name: _listen(link, unused) for name, link in description.links.items()},
    )


def _listen(link: Proxied, unused: Iterator[int]) -> int:
    return link.listen or next(unused)


def _digest(description: Description) -> str:
    """Of what is prepared: other commands prepare something else."""
    return hashlib.sha256(repr((description.here, description.prepare)).encode()).hexdigest()[:12]
