"""The exchange simulator: an own party with an own book, which goes on when the brokerage does not."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from targets.brokerage import serving
from targets.brokerage.config import Config
from targets.brokerage.exchange.server import Exchange


def serve(config: Config, sockets: Mapping[str, socket.socket]) -> None:
    """Serve until SIGTERM; sockets ``exchange_a``, ``exchange_b``, ``exchange_http``."""
    doors = {name: sockets[name] for name in ("exchange_a", "exchange_b")}
    serving.serve(Exchange(config, doors), sockets["exchange_http"])
