"""Which Toxiproxy-compatible server to start, and whether it is ours that listens."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import psutil

from targets import children
from targets.cache import NoCache, cache_folder
from targets.commands import run
from targets.finding import Finding
from targets.target import TargetError

RELEASE = "2.12.0"
"""Of the original that is built here, and that the embedded one is compared with."""
FIX = "put one on PATH, name it in KUNREN_TOXIPROXY, or run make toxiproxy (needs Go)"


def engine_command(choice: str, port: int, port_file: Path | None = None) -> list[str]:
    """The argv of the proxy server: ``embedded``, ``toxiproxy``, or ``auto`` (the original if one is installed).

    The original has no port file and cannot choose a port itself; the embedded one takes 0 and writes ``port_file``.
    TargetError says what is missing.
    """
    if choice not in ("auto", "embedded", "toxiproxy"):
        raise TargetError(f"proxy engine {choice!r}: known are auto, embedded, toxiproxy")
    if choice != "embedded" and (found := installed()) is not None:
        return original_command(found, port)
    if choice == "toxiproxy":
        made = _built()
        if made is None:
            raise TargetError(f"no toxiproxy-server: {FIX}, or use --proxy embedded")
        return original_command(made, port)
    written = [] if port_file is None else ["--port-file", str(port_file.resolve())]
    return children.python("faults.proxy", "--host", "127.0.0.1", "--port", str(port), *written)


def original_command(program: Path, port: int) -> list[str]:
    """The argv of an original server."""
    return [str(program), "-host", "127.0.0.1", "-port", str(port)]


def installed() -> Path | None:
    """``$KUNREN_TOXIPROXY``, else ``toxiproxy-server`` on PATH; TargetError when the variable names no program."""
    named = os.environ.get("KUNREN_TOXIPROXY")
    found = shutil.which(named or "toxiproxy-server")
    if named and found is None:
        raise TargetError(f"KUNREN_TOXIPROXY={named} is no program: unset it, or use --proxy embedded")
    return None if found is None else Path(found).absolute()  # started in another folder


def built() -> Path:
    """Where ``make toxiproxy`` puts it; used when asked for by name only, so that ``auto`` is not changed by a test."""
    return cache_folder() / "toxiproxy" / RELEASE / "toxiproxy-server"


def _built() -> Path | None:
    """The same where it is there, and there is a cache that may be looked into."""
    try:
        return built() if built().exists() else None
    except (NoCache, OSError):
        return None


def examine() -> Finding:
    """Which original there is, by starting it, and which ``--proxy`` uses it."""
    try:
        found = installed()
    except TargetError as error:
        return Finding("Toxiproxy", False, str(error), False)
    used_by = "--proxy auto" if found else "--proxy toxiproxy, while auto takes the embedded one"
    found = found or _built()
    if found is None:
        return Finding("Toxiproxy", False, "no toxiproxy-server: the embedded proxy is used", False, FIX)
    if (version := version_of(found)) is None:
        return Finding("Toxiproxy", False, f"{found} is no Toxiproxy: it does not say its version", False, FIX)
    return Finding("Toxiproxy", True, f"{version} at {found}: {used_by}", False)


def version_of(program: Path) -> str | None:
    """What an original says of itself, such as ``2.12.0`` (``git`` when nobody stamped it); None from another one."""
    try:
        done = run([program, "-version"], 10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    name, _, version = done.out.strip().partition(" version ")
    return version if name == "toxiproxy-server" and version else None


def listens(pid: int, port: int) -> bool:
    """Whether the process has a listening TCP socket on the port."""
    try:
        held = psutil.Process(pid).net_connections(kind="tcp")
    except psutil.Error:
        return False
    return port in {each.laddr.port for each in held if each.status == psutil.CONN_LISTEN}
