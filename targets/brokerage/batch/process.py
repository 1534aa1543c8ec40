"""The batch as a process: the service, and the operators' endpoints of it."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from targets.brokerage import serving
from targets.brokerage.batch import endpoints
from targets.brokerage.batch.service import Batch
from targets.brokerage.config import Config


def serve(config: Config, sockets: Mapping[str, socket.socket]) -> None:
    """Serve until SIGTERM; socket ``batch``."""
    batch = Batch(config)
    serving.serve(batch, endpoints.routes(batch), sockets["batch"])
