"""A volume's gauges: who writes to it shows them, for the monitor and for operators."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Gauge

from targets.brokerage.volumes.forecast import Forecast
from targets.brokerage.volumes.usage import deleted, is_limited, usage, written

INTERVAL_S = 0.25


class VolumeGauges:
    """Looks at one volume every ``INTERVAL_S``. There are none for an ordinary folder: that disk is everybody's."""

    def __init__(self, folder: Path, registry: CollectorRegistry) -> None:
        self._folder = folder
        self._forecast = Forecast()
        self._name = folder.name
        self.limited = is_limited(folder)
        self._gauges = {name: _gauge(name, says, registry) for name, says in SHOWN.items()} if self.limited else {}
        self._share = (
            Gauge("volume_used_ratio", "Share that is taken", ("volume", "of"), registry=registry)
            if self.limited
            else None
        )

    def look(self) -> None:
        """Take its figures as of now; OSError."""
        if self._share is None:
            return
        now, gone = usage(self._folder), sum(each.bytes for each in deleted(self._folder))
        self._forecast.note(time.monotonic(), written(self._folder) + gone)
        to_full = self._forecast.seconds_to_full(now.free)
        figures = (now.size, now.free, now.inodes, now.inodes_free, gone, math.inf if to_full is None else to_full)
        for gauge, value in zip(self._gauges.values(), figures, strict=True):
            gauge.labels(self._name).set(value)
        self._share.labels(self._name, "bytes").set(now.bytes_used)
        self._share.labels(self._name, "inodes").set(now.inodes_used)

    def facts(self) -> dict[str, Any]:
        """What is open though deleted, when it will be full (None: no steady growth), and how it last grew, bytes/s."""
        to_full = self._forecast.seconds_to_full(usage(self._folder).free) if self.limited else None
        gone = [{"name": each.name, "bytes": each.bytes} for each in deleted(self._folder)]
        return {"deleted": gone, "seconds_to_full": to_full, "per_s": self._forecast.last_per_s()}


SHOWN = {
    "volume_size_bytes": "Bytes in all",
    "volume_free_bytes": "Bytes that are free",
    "volume_inodes": "Inodes in all",
    "volume_inodes_free": "Inodes that are free",
    "volume_deleted_open_bytes": "Bytes of files without a name that are held open",
    "volume_seconds_to_full": "Seconds until no byte is free, while it fills steadily; +Inf while it does not",
}


def _gauge(name: str, says: str, registry: CollectorRegistry) -> Gauge:
    return Gauge(name, says, ("volume",), registry=registry)
