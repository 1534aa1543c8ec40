"""Which Toxiproxy-compatible server to start, and whether it is ours that listens."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import psutil

from targets.target import TargetError


def engine_command(choice: str, port: int, port_file: Path | None = None) -> list[str]:
    """The argv of the proxy server: ``embedded``, ``toxiproxy``, or ``auto`` (the original if there is one).

    The original is ``$KUNREN_TOXIPROXY`` or ``toxiproxy-server`` on PATH; it has no port file and cannot choose a
    port itself, the embedded one takes 0 and writes ``port_file``. TargetError says what is missing.
    """
    if choice not in ("auto", "embedded", "toxiproxy"):
        raise TargetError(f"proxy engine {choice!r}: known are auto, embedded, toxiproxy")
    named = os.environ.get("KUNREN_TOXIPROXY")
    original = shutil.which(named or "toxiproxy-server")
    if choice != "embedded" and named and original is None:
        raise TargetError(f"KUNREN_TOXIPROXY={named} is no program: unset it, or use --proxy embedded")
    if choice == "toxiproxy" and original is None:
        raise TargetError("no toxiproxy-server on PATH: name one in KUNREN_TOXIPROXY, or use --proxy embedded")
    if original is not None and choice != "embedded":
        return [original, "-host", "127.0.0.1", "-port", str(port)]
    written = [] if port_file is None else ["--port-file", str(port_file)]
    return [sys.executable, "-m", "faults.proxy", "--host", "127.0.0.1", "--port", str(port), *written]


def listens(pid: int, port: int) -> bool:
    """Whether the process has a listening TCP socket on the port."""
    try:
        held = psutil.Process(pid).net_connections(kind="tcp")
    except psutil.Error:
        return False
    return port in {each.laddr.port for each in held if each.status == psutil.CONN_LISTEN}
