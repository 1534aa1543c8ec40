"""The vendor's scan: every half second a handshake with the listener under each name, from outside.

It verifies nothing, for what has expired must be seen as well, and it goes by the whole chain: a leaf that is good for
months is worth nothing under an intermediate that ends tomorrow. It knows the names from the brokerage's zone, not from
the brokerage's inventory. ``vendor/scans.jsonl`` has a row whenever something else is shown under a name.
"""

from __future__ import annotations

import asyncio
import math
import time
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Gauge

from targets.brokerage.bookfile import BookWriter
from targets.brokerage.config import Config
from targets.brokerage.edge import certificates
from targets.brokerage.edge.certificates import Shown
from targets.brokerage.edge.names import NAMES
from targets.brokerage.edge.probe import chain_served
from targets.brokerage.vendor.authority import FOLDER

EVERY_S = 0.5
WITHIN_S = 1.0
LISTENER = "edge"
"""Where customers' connections end."""


def scans_file(stack: Path) -> Path:
    """Where what it saw is written down."""
    return stack / FOLDER / "scans.jsonl"


class Scan:
    """Looks, shows in gauges what it sees, and writes down what has changed."""

    def __init__(self, config: Config, registry: CollectorRegistry) -> None:
        self._config = config
        self.seen: dict[str, Shown | None] = {}
        self._book = BookWriter(scans_file(Path(config.folder)))
        labels = ("listener", "name")
        self._left = Gauge("scan_chain_seconds_left", "Until the first of the chain ends", labels, registry=registry)

    async def run(self) -> None:
        """Scan after scan."""
        while True:
            for name in NAMES:
                self._note(name, await asyncio.to_thread(self._look, name))
            await asyncio.sleep(EVERY_S)

    def close(self) -> None:
        """Close the file."""
        self._book.close()

    def _look(self, name: str) -> Shown | None:
        """None where there was no handshake."""
        try:
            return certificates.in_handshake(chain_served(self._config.at("edge"), WITHIN_S, name))
        except (OSError, ValueError):
            return None

    def _note(self, name: str, shown: Shown | None) -> None:
        left = math.nan if shown is None else shown.seconds_left(certificates.now())
        self._left.labels(LISTENER, name).set(left)
        if name in self.seen and self.seen[name] == shown:
            return
        self.seen[name] = shown
        self._book.write(_row(name, shown, left))


def _row(name: str, shown: Shown | None, left: float) -> dict[str, Any]:
    facts: dict[str, Any] = {"fingerprint": "", "left_ms": 0, "length": 0}
    if shown is not None:
        facts = {"fingerprint": shown.fingerprint, "left_ms": round(left * 1000), "length": shown.length}
    seen = {"kind": "chain-seen", "t_ns": time.monotonic_ns(), "id": f"{LISTENER}/{name}"}
    return {**seen, "listener": LISTENER, "name": name, **facts}
