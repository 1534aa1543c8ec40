"""``python -m faults.proxy --host 127.0.0.1 --port 0 [--port-file FILE]``: serve until SIGTERM.

Prints ``HOST:PORT`` of the API and, if asked for, writes the port to a file, once it can be connected to. On Linux
the kernel ends it together with the process (more exactly: the thread) that started it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from faults.proxy.api import app
from faults.proxy.proxy import Proxies
from targets import own_errors
from targets.parents import die_with_parent


def end_with_parent() -> None:
    """Ask the kernel for SIGKILL when the parent ends; nothing elsewhere than on Linux."""
    if sys.platform.startswith("linux") and not die_with_parent(os.getppid()):
        sys.exit(1)  # it ended in between: there will be no signal


def tell(address: tuple[str, int], port_file: Path | None) -> None:
    """Say where the API is; the file appears whole or not at all."""
    print(f"{address[0]}:{address[1]}", flush=True)  # noqa: T201  # for who started it
    if port_file is not None:
        part = port_file.with_name(port_file.name + ".part")
        part.write_text(f"{address[1]}\n")
        part.replace(port_file)


class Server(uvicorn.Server):
    """Ends normally (exit code 0) on SIGTERM and SIGINT instead of raising the signal again."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ask the server to stop when one comes."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def told(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """The loop's handler of what nobody caught: a bug of ours, or a want; but for what a far end did to a socket."""
    error = context.get("exception")
    kind = own_errors.UNHANDLED if error is None else own_errors.kind_of(error)
    if kind is not None or not isinstance(error, OSError):
        own_errors.tell(kind or own_errors.UNHANDLED, f"{context.get('message')}: {error!r}")
    loop.default_exception_handler(context)


async def serve(listener: socket.socket) -> None:
    """Serve the API on a listening socket and the proxies it is asked for, until told to stop."""
    asyncio.get_running_loop().set_exception_handler(told)
    proxies: Proxies = {}
    config = uvicorn.Config(
        app(proxies),
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )
    try:
        await Server(config).serve(sockets=[listener])
    finally:
        for proxy in proxies.values():
            proxy.stop()


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m faults.proxy", description=__doc__.split("\n")[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8474)
    parser.add_argument("--port-file", type=Path)
    chosen = parser.parse_args()
    end_with_parent()
    try:
        listener = socket.create_server((chosen.host, chosen.port), backlog=128)
    except OSError as error:
        sys.exit(f"cannot listen on {chosen.host}:{chosen.port}: {os.strerror(error.errno or 0)}")
    tell(listener.getsockname()[:2], chosen.port_file)
    uvloop.run(serve(listener))


if __name__ == "__main__":
    main()
