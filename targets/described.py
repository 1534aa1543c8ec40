"""The runtime of a system that none of us wrote: a target file says by which hooks it starts and how it is reached.

Nothing is injected into it before it has shown the drill label and a token that is made anew for each run and given to
its hooks (``targets.description.PLACEHOLDERS``): so what answers is what was started for this very run, and no other.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from targets import hooks, ownership
from targets.cache import cache_complaint, cache_folder, examine_cache
from targets.description import LABEL, PROXY, Description, Proxied
from targets.finding import Finding
from targets.ports import Block, accepts, claim_block
from targets.proxy_engine import engine_command
from targets.runtime import Request
from targets.site import KIND, Plan, Site, attach, offer, public, save, sites
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
        """Folders whose lock nobody holds."""
        return [Intent(KIND, str(folder)) for folder in ownership.abandoned(sites())]

    def owned(self, intent: Intent) -> bool:
        """Whether somebody holds the lock in the folder."""
        return ownership.owned(Path(intent.stack))

    def attach(self, intent: Intent) -> Site:
        """By the ``site.json`` in its folder."""
        return attach(Path(intent.stack))

    def end(self, intent: Intent) -> Iterator[str]:
        """Stop the services by their hooks, end all that carries the label, remove the folder."""
        folder = Path(intent.stack)
        try:
            for name, wrong in stop_all(self.attach(intent)):
                yield f"stopped {name}" if not wrong else unstopped(name, wrong)
        except TargetError as error:
            yield f"could not attach: {error}"
        yield from (f"process {pid} could not be ended" for pid in hooks.end(folder))
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
        yield examine_cache()

    def lacking(self, proxy: str) -> tuple[str, ...]:
        """The proxy engine, a cache to write to, and ports that the file names and something else has."""
        taken = [port for port in _fixed(self._description) if accepts(port)]
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
        """TargetError where no ports are free."""
        try:
            self._block: Block = claim_block()
        except OSError as error:
            raise TargetError(str(error)) from error
        super().__init__(_plan(description, request, self._block.ports))
        self._owner: TextIO | None = None
        self._proxy: subprocess.Popen[bytes] | None = None

    def world(self) -> Sequence[Mapping[str, Any]]:
        """Nothing is known of its data."""
        return ()

    def password(self, customer: str) -> str:
        """Its customers do not log in."""
        return ""

    def lifelines(self) -> tuple[int, ...]:
        """It lives on by itself until somebody ends it: who is left over is found by the label."""
        return ()

    def by_hand(self) -> Iterator[str]:
        """Customers' address and logs."""
        yield f"customers:  {self.customers_url()}"
        yield f"logs:       {self.plan.logs}"
        yield f"folder:     {self.folder}"

    def __exit__(self, *exc: object) -> None:
        """Stop all processes and remove the folder; then TargetError where a service could not be stopped."""
        left = [unstopped(name, wrong) for name, wrong in stop_all(self) if wrong]
        hooks.end(self.folder)
        for child in (*self._children, *([self._proxy] if self._proxy else [])):
            with contextlib.suppress(subprocess.TimeoutExpired):  # one that no SIGKILL ends is the machine's trouble
                child.wait(2.0)
        ownership.remove(self.folder)
        self._block.release()
        if self._owner is not None:
            self._owner.close()
        if left:
            raise TargetError("; ".join(left))

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
                hooks.carry_out(self.argv(hook), self.folder, self.environment(), PREPARE_WITHIN_S)
            done.touch()

    def _make_links(self) -> None:
        try:
            self._proxy = self.launch(PROXY, engine_command(self.plan.proxy_engine, self.plan.proxy_port))
            self._proxies.wait_ready(pid=self._proxy.pid)
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
