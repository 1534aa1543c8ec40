"""The mail service as a process: the spool, and the endpoints that operators have of it."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from targets.brokerage import serving
from targets.brokerage.config import Config
from targets.brokerage.mail.endpoints import routes
from targets.brokerage.mail.service import Mail


def serve(config: Config, sockets: Mapping[str, socket.socket]) -> None:
    """Serve until SIGTERM; socket ``mail``."""
    mail = Mail(config)
    serving.serve(mail, routes(mail), sockets["mail"])
