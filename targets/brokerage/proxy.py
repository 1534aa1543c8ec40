"""The proxy server of a stack of processes."""

from __future__ import annotations

from targets.brokerage.config import Config
from targets.proxy_engine import engine_command


def command(config: Config) -> list[str]:
    """Its command line, for the engine that the stack is to have."""
    return engine_command(config.proxy_engine, config.ports["toxiproxy"])
