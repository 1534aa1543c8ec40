"""The api as a process: the service, and the endpoints that customers and operators have of it."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from targets.brokerage import serving
from targets.brokerage.api import crowd_endpoints, customers, number_endpoints, operator_endpoints
from targets.brokerage.api.server import Api
from targets.brokerage.config import Config


def serve(config: Config, sockets: Mapping[str, socket.socket]) -> None:
    """Serve until SIGTERM; socket ``api``."""
    api = Api(config)
    parts = (customers, operator_endpoints, number_endpoints, crowd_endpoints)
    routes = [route for part in parts for route in part.routes(api)]
    serving.serve(api, routes, sockets["api"])
