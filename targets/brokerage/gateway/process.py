"""The gateway as a process: the service, and its HTTP face."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from targets.brokerage import serving
from targets.brokerage.config import Config
from targets.brokerage.gateway import endpoints
from targets.brokerage.gateway.server import Gateway


def serve(config: Config, sockets: Mapping[str, socket.socket]) -> None:
    """Serve until SIGTERM; socket ``gateway``."""
    gateway = Gateway(config)
    serving.serve(gateway, endpoints.routes(gateway), sockets["gateway"])
