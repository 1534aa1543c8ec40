"""One service of a stack as a process of its own: ``python -m targets.brokerage.service NAME [STACK_FOLDER]``.

The folder is that of ``config.json``, by default what ``KUNREN_STACK`` names. The launcher starts the same services by
forking; a container runs this. A component that is a program of its own, such as PostgreSQL, is executed instead.
"""

from __future__ import annotations

import importlib
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from targets.brokerage.config import Config, load
from targets.brokerage.declaration import Program, Served
from targets.brokerage.topology import TOPOLOGY


def bind(port: int, host: str) -> socket.socket:
    """A listening socket that a forked or executed child inherits; OSError names the address."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise OSError(error.errno, f"port {port} of {host}: {os.strerror(error.errno or 0)}") from error
    sock.listen(2048)
    sock.set_inheritable(True)
    return sock


def sockets(name: str, config: Config) -> dict[str, socket.socket]:
    """The component's own ports as listening sockets. OSError when one is taken."""
    return {each: bind(config.ports[each], config.listen) for each in TOPOLOGY.components[name].ports}


def command(start: Program, config: Config) -> list[str]:
    """The argv of a program."""
    argv: list[str] = importlib.import_module(start.module).command(config)
    return argv


def serve(start: Served, config: Config, bound: Mapping[str, socket.socket]) -> None:
    """Serve until SIGTERM."""
    importlib.import_module(start.module).serve(config, bound)


def run(name: str, config: Config) -> None:
    """Serve until SIGTERM, or become the program. KeyError for an unknown component, OSError when a port is taken."""
    start = TOPOLOGY.start_of(name)
    if isinstance(start, Program):
        argv = command(start, config)
        os.execvp(argv[0], argv)  # noqa: S606  # the signals are the program's own to take
    serve(start, config, sockets(name, config))


def main() -> None:
    """Entry point."""
    known = [name for name, each in TOPOLOGY.components.items() if each.start is not None]
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in known:
        sys.exit(f"usage: python -m targets.brokerage.service NAME [STACK_FOLDER]; NAME is one of {', '.join(known)}")
    run(sys.argv[1], load(Path(sys.argv[2]) if len(sys.argv) == 3 else None))


if __name__ == "__main__":
    main()
