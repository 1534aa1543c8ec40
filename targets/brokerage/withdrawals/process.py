"""Withdrawals as a process: the service, and its HTTP face."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from targets.brokerage import serving
from targets.brokerage.config import Config
from targets.brokerage.withdrawals import endpoints
from targets.brokerage.withdrawals.service import Withdrawals


def serve(config: Config, sockets: Mapping[str, socket.socket]) -> None:
    """Serve until SIGTERM; socket ``withdrawals``."""
    service = Withdrawals(config)
    serving.serve(service, endpoints.routes(service), sockets["withdrawals"])
