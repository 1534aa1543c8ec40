"""The gateway as a process."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from targets.brokerage import serving
from targets.brokerage.config import Config
from targets.brokerage.gateway import endpoints  # noqa: F401  # imported here so that the launcher has it before forking
from targets.brokerage.gateway.server import Gateway


def serve(config: Config, sockets: Mapping[str, socket.socket]) -> None:
    """Serve until SIGTERM; socket ``gateway``."""
    serving.serve(Gateway(config), sockets["gateway"])
