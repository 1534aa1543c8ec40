"""One service of a stack as a process of its own: ``python -m targets.brokerage.service NAME [STACK_FOLDER]``.

The folder is that of ``config.json``, by default what ``KUNREN_STACK`` names. The launcher starts the same services by
forking; a container runs this. ``postgres`` is not served but becomes PostgreSQL.
"""

from __future__ import annotations

import importlib
import os
import socket
import sys
from pathlib import Path

from targets.brokerage import postgres
from targets.brokerage.config import Config, load

MODULES = {
    "pager": ("targets.brokerage.pager", ("pager",)),
    "exchange": ("targets.brokerage.exchange", ("exchange_a", "exchange_b", "exchange_http")),
    "gateway": ("targets.brokerage.gateway", ("gateway",)),
    "api": ("targets.brokerage.api", ("api",)),
    "bank": ("targets.brokerage.bank", ("bank",)),
    "valuation": ("targets.brokerage.valuation", ("valuation", "valuation_http")),
    "batch": ("targets.brokerage.batch.service", ("batch",)),
    "mail": ("targets.brokerage.mail", ("mail",)),
    "monitor": ("targets.brokerage.monitor.service", ("monitor",)),
    "brokerctl": ("targets.brokerage.toolserver", ()),
}
"""Forked service -> module with ``serve``, and the sockets it listens on; in order of starting. The last is no service
of the brokerage's: it runs the robot operator's commands."""


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


def run(name: str, config: Config) -> None:
    """Serve until SIGTERM. KeyError for an unknown service, OSError when its port is taken."""
    if name == "postgres":
        argv = postgres.argv(Path(config.folder) / "pgdata", config.ports.postgres, config.listen)
        os.execvp(argv[0], argv)  # noqa: S606  # the signals are PostgreSQL's own to take
    module, names = MODULES[name]
    sockets = {each: bind(getattr(config.ports, each), config.listen) for each in names}
    importlib.import_module(module).serve(config, sockets)


def main() -> None:
    """Entry point."""
    known = ("postgres", *MODULES)
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in known:
        sys.exit(f"usage: python -m targets.brokerage.service NAME [STACK_FOLDER]; NAME is one of {', '.join(known)}")
    run(sys.argv[1], load(Path(sys.argv[2]) if len(sys.argv) == 3 else None))


if __name__ == "__main__":
    main()
