"""The api as a process."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from targets.brokerage import serving
from targets.brokerage.api import customers, operator_endpoints  # noqa: F401  # so that the launcher has them
from targets.brokerage.api.server import Api
from targets.brokerage.config import Config


def serve(config: Config, sockets: Mapping[str, socket.socket]) -> None:
    """Serve until SIGTERM; socket ``api``."""
    serving.serve(Api(config), sockets["api"])
