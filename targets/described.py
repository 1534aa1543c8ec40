"""The runtime of a system that none of us wrote: a target file says by which hooks it starts and how it is reached.

Nothing is injected into it before it has shown the drill label and a token that is made anew for each run and given to
its hooks (``targets.description.PLACEHOLDERS``): so what answers is what was started for this very run, and no other.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from targets import hooks, hosts, ownership, ports, processes
from targets.cache import cache_complaint, cache_folder, examine_cache
from targets.description import LABEL, PROXY, Description, Proxied
from targets.finding import Finding
from targets.inputs import digest
from targets.logs import last_words
from targets.loopback import split
from targets.ports import Block, answering, claim_block
from targets.prepared import Preparation, prepare
from targets.proxy_engine import engine_command
from targets.runtime import Request
from targets.site import KIND, Plan, Site, attach, capabilities, public, save, sites, started
from targets.starting import Starting
from targets.target import Capabilities, Intent, OwnPart, Startable, StartFailed, TargetError

PREPARE_LOG = "prepare.log"

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
        left = [*hooks.left_over(hooks.end(folder)), *ports.still_listening(started(folder), ports.claimed)]
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
    files_per_customer = 2

    def __init__(self, description: Description, source: bytes) -> None:
        self.name = description.name
        self.source: bytes | None = source
        self.start_stop_s = START_STOP_S * len(description.services)
        self._description = description

    def capabilities(self) -> Capabilities:
        """As the file describes it."""
        return capabilities(self._description)

    def examine(self) -> Iterator[Finding]:
        """The cache; what the hooks need only they know."""
        yield examine_cache()

    def lacking(self, proxy: str) -> tuple[str, ...]:
        """The proxy engine, a cache to write to, and ports that the file names and something else has."""
        taken = [port for port in _fixed(self._description) if answering(port)]
        found = [f"port {port} of {self.name} is taken: end what listens there" for port in taken]
        try:
            engine_command(proxy, 0)
        except TargetError as error:
            found.append(str(error))
        if (why := cache_complaint()) is not None:
            found.append(why)
        return tuple(found)

    def make(self, request: Request) -> Startable:
        """One, with a folder, a token and ports of its own."""
        return DescribedTarget(self._description, request)


class DescribedTarget(Starting, Site):
    """Starts the system on entering, stops and removes it on leaving."""

    def __init__(self, description: Description, request: Request) -> None:
        """TargetError where no ports are free, or where something that ``prepare`` reads cannot be read."""
        shared = cache_folder() / "prepared" / f"{description.name}-{digest(description)}"
        parts = 1 + len(description.services) + len(description.links)  # with the proxy server
        try:
            self._block: Block = claim_block(parts)
        except OSError as error:
            raise TargetError(str(error)) from error
        super().__init__(_plan(description, request, shared, self._block.ports))
        self._owner: TextIO | None = None
        self._proxy: hooks.Kept | None = None
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

    def own_parts(self) -> tuple[OwnPart, ...]:
        """The proxy."""
        runs = self._proxy is not None and self._proxy.poll() is None
        return (OwnPart("proxy", self._proxy.pid if runs and self._proxy else None, self.logs()[PROXY]),)

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
        left = [*hooks.left_over(hooks.end(self.folder)), *ports.still_listening(started(self.folder), lambda _: False)]
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
        self._find_localhosts(partial(hosts.keep, self.folder))
        self._make_links()
        for name in self.plan.description.services:
            self.start(name)
        silent = self._find_localhosts(self.found_at)
        if silent:
            tried = "127.0.0.1 and ::1 were tried; fix: start it, or write the address in numbers"
            raise StartFailed(f"nothing answers at localhost:{silent[0]}, to which a link is to lead: {tried}")

    def _prepare(self) -> None:
        shared = Path(self.plan.shared)
        if not self.plan.description.prepare:
            shared.mkdir(parents=True, exist_ok=True)
            return
        commands = [self.argv(hook) for hook in self.plan.description.prepare]
        log = Path(self.plan.logs) / PREPARE_LOG
        prepare(Preparation(commands, shared, self.folder, log, self.start_preparing), sites())

    def _find_localhosts(self, found: Callable[[int, str], None]) -> list[int]:
        """Tell for each port of ``localhost`` that a link leads to where it answers; the ports that do not, so far."""
        upstreams = {link.upstream for link in self.plan.description.links.values()}
        ports = sorted(split(each)[1] for each in upstreams if each.startswith("localhost:"))
        silent = [port for port in ports if hosts.known(self.folder, port) is None]
        where = {port: answering(port) for port in silent}
        for port, host in where.items():
            if host is not None:
                found(port, host)
        return [port for port, host in where.items() if host is None]

    def _make_links(self) -> None:
        numbers = (self.plan.proxy_port, *self.plan.listens.values())
        self._ours(PROXY).write_text("".join(f"{port}\n" for port in numbers))
        try:
            self._proxy = self.launch(PROXY, engine_command(self.plan.proxy_engine, self.plan.proxy_port))
            self._proxies.wait_ready(pid=self._proxy.pid)
            for link in self.links().values():
                self._proxies.create(link.name, link.listen, link.upstream)
        except TargetError as error:
            raise TargetError(f"the links could not be made: {error};{last_words(self.logs()[PROXY])}") from error


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


def _plan(description: Description, request: Request, shared: Path, free: Sequence[int]) -> Plan:
    unused = iter(free)
    folder = sites() / f"{time.time_ns():x}-{os.getpid()}"
    return Plan(
        description=description,
        folder=str(folder),
        shared=str(shared),
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
