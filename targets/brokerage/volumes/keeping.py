"""Real volumes for processes: a tmpfs each, limited in size and inodes, in a mount namespace that a holder keeps.

The holder mounts them over folders of the stack and then sleeps; a tmpfs is gone with the last process in its
namespace, so a service that writes to one can be restarted. Who owns a volume joins the namespace (``join``) and finds
it in its usual place; everybody else, as operators, reaches the same folder through ``/proc`` (``reached``). No root is
needed where a user may make user namespaces; root does without them if need be. Where neither is possible the folders
are ordinary ones, without a limit: ``way`` is empty then.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from targets.brokerage.config import Config
from targets.brokerage.declaration import Volume
from targets.brokerage.topology import TOPOLOGY
from targets.finding import complaint

HOLDER = "volumes.holder"
"""In the stack's folder: the holder's process id, once all is mounted."""

EVIDENCE = "evidence"
"""In the stack's folder, off the volumes: where operators move files of theirs to, a folder a volume."""

ROOT_OF_ITS_OWN = ("unshare", "--user", "--map-root-user", "--mount", "--propagation", "private")
AS_ROOT = ("unshare", "--mount", "--propagation", "private")
FIX = (
    "drills that fill a volume need one of: --target compose, root, or user namespaces"
    " (sysctl kernel.apparmor_restrict_unprivileged_userns=0; kernel.unprivileged_userns_clone=1 elsewhere)"
)
NAMESPACES = ("user", "mnt")
"""In the order in which they are joined: the first gives the right to join the second."""

_LIBC = ctypes.CDLL(None, use_errno=True)


@cache
def way() -> tuple[str, ...]:
    """What to put before a program so that it may mount; nothing where this user cannot."""
    return next((each for each in _ways() if refusal(each) is None), ())


def complaints() -> list[str]:
    """Why no volume can be limited here, a line for each way; none where one can."""
    return [] if way() else [str(refusal(each)) for each in _ways()]


def refusal(way: Iterable[str]) -> str | None:
    """Why nothing can be mounted this way; None where it can. What it tries is gone when it returns."""
    return complaint([*way, "mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=16", "none", tempfile.gettempdir()])


def described() -> str | None:
    """For the card: what limits the volumes; None where nothing does."""
    if not way():
        return None
    where = "mount namespace" if way() == AS_ROOT else "user and mount namespace"
    return ", ".join(f"{shown(each)} in a {where}" for each in TOPOLOGY.limited.values())


def shown(volume: Volume) -> str:
    """Such as ``relay-log: tmpfs of 3840 KiB and 200 inodes``."""
    return f"{volume.name}: tmpfs of {volume.kilobytes} KiB and {volume.inodes} inodes"


def command(config: Config) -> list[str]:
    """Command line of the holder; without a way to limit anything it holds nothing, and says nothing."""
    if not way():
        return ["sleep", "infinity"]
    folder = Path(config.folder)
    mounts = [_mount(each, folder / each.name) for each in TOPOLOGY.limited.values()]
    aside, mark = (shlex.quote(str(folder / name)) for name in (f".{HOLDER}", HOLDER))
    ready = f"echo $$ > {aside} && mv {aside} {mark}"
    return [*way(), "sh", "-c", " && ".join([*mounts, ready, "exec sleep infinity"])]


def prepare(folder: Path) -> None:
    """Make the folders over which they are mounted."""
    for name in TOPOLOGY.limited:
        (folder / name).mkdir(parents=True, exist_ok=True)


def kept(folder: Path) -> bool:
    """Whether the volumes of this stack of processes are there; at once where they are ordinary folders."""
    return not way() or (folder / HOLDER).exists()


def reached(folder: Path, volume: str) -> Path:
    """Where anybody but its owner reaches a volume; KeyError for one that no component declares."""
    declared = TOPOLOGY.limited[volume]
    holder = _holder(folder)
    inside = folder / declared.name
    return inside if holder is None else Path(f"/proc/{holder}/root{inside}")


def join(folder: Path) -> None:
    """Enter the namespace of the volumes, where there is one. For a process of one thread; OSError."""
    holder = _holder(folder)
    if holder is None:
        return
    for name in NAMESPACES:
        theirs = f"/proc/{holder}/ns/{name}"
        if os.path.samefile(theirs, f"/proc/self/ns/{name}"):
            continue
        handle = os.open(theirs, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if _LIBC.setns(handle, 0) != 0:
                raise OSError(ctypes.get_errno(), f"cannot join {theirs}: {os.strerror(ctypes.get_errno())}")
        finally:
            os.close(handle)


def _ways() -> tuple[tuple[str, ...], ...]:
    return (ROOT_OF_ITS_OWN, AS_ROOT) if os.geteuid() == 0 else (ROOT_OF_ITS_OWN,)


def _mount(volume: Volume, where: Path) -> str:
    limits = f"size={volume.kilobytes}k,nr_inodes={volume.inodes},mode=0700"
    return f"mount -t tmpfs -o {limits} {shlex.quote(volume.name)} {shlex.quote(str(where))}"


def _holder(folder: Path) -> int | None:
    try:
        return int((folder / HOLDER).read_text())
    except FileNotFoundError:
        return None
