"""The batch as a process."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from targets.brokerage import serving
from targets.brokerage.batch.service import Batch
from targets.brokerage.config import Config


def serve(config: Config, sockets: Mapping[str, socket.socket]) -> None:
    """Serve until SIGTERM; socket ``batch``."""
    serving.serve(Batch(config), sockets["batch"])
