"""Volumes' gauges: who writes to them shows them, for the monitor and for operators."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Gauge

from targets.brokerage.volumes.forecast import Forecast
from targets.brokerage.volumes.usage import Usage, deleted, is_limited, usage, written

INTERVAL_S = 0.25


class Watched:
    """One volume: how full it is, and how fast it fills. Of an ordinary folder no figures are told: that disk is
    everybody's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.limited = is_limited(folder)
        self._bytes, self._inodes = Forecast(), Forecast()

    def look(self) -> Usage:
        """Take its figures as of now; OSError."""
        now, at_s = usage(self.folder), time.monotonic()
        self._bytes.note(at_s, written(self.folder) + self.deleted_open)
        self._inodes.note(at_s, now.inodes - now.inodes_free)
        return now

    @property
    def deleted_open(self) -> int:
        """Bytes of files without a name that this process holds open."""
        return sum(each.bytes for each in deleted(self.folder))

    def seconds_to(self, now: Usage) -> dict[str, float | None]:
        """When no byte and no inode will be left; None without steady growth."""
        return {
            "seconds_to_full": self._bytes.seconds_to_full(now.free),
            "seconds_to_no_inode": self._inodes.seconds_to_full(now.inodes_free),
        }

    def facts(self) -> dict[str, Any]:
        """What is open though deleted, when it will be full, and how it last grew, bytes/s."""
        unknown: dict[str, float | None] = {"seconds_to_full": None, "seconds_to_no_inode": None}
        return {
            "deleted": [{"name": each.name, "bytes": each.bytes} for each in deleted(self.folder)],
            **(self.seconds_to(usage(self.folder)) if self.limited else unknown),
            "per_s": self._bytes.last_per_s(),
        }


class VolumeGauges:
    """Looks at the volumes of one service every ``INTERVAL_S``."""

    def __init__(self, registry: CollectorRegistry, *folders: Path) -> None:
        self._all = {folder.name: Watched(folder) for folder in folders}
        self._limited = {name: each for name, each in self._all.items() if each.limited}
        if self._limited:
            self._gauges = {name: Gauge(name, says, ("volume",), registry=registry) for name, says in SHOWN.items()}
            self._share = Gauge("volume_used_ratio", "Share that is taken", ("volume", "of"), registry=registry)

    def look(self) -> None:
        """Take their figures as of now; OSError."""
        for name, each in self._limited.items():
            now = each.look()
            to_full, to_no_inode = (math.inf if when is None else when for when in each.seconds_to(now).values())
            figures = (now.size, now.free, now.inodes, now.inodes_free, each.deleted_open, to_full, to_no_inode)
            for gauge, value in zip(self._gauges.values(), figures, strict=True):
                gauge.labels(name).set(value)
            self._share.labels(name, "bytes").set(now.bytes_used)
            self._share.labels(name, "inodes").set(now.inodes_used)

    def usage(self, volume: str) -> Usage | None:
        """Its figures as of now; None of an ordinary folder."""
        return usage(self._limited[volume].folder) if volume in self._limited else None

    def facts(self) -> Mapping[str, Mapping[str, Any]]:
        """Volume -> what who writes to it knows of it."""
        return {name: each.facts() for name, each in self._all.items()}


SHOWN = {
    "volume_size_bytes": "Bytes in all",
    "volume_free_bytes": "Bytes that are free",
    "volume_inodes": "Inodes in all",
    "volume_inodes_free": "Inodes that are free",
    "volume_deleted_open_bytes": "Bytes of files without a name that are held open",
    "volume_seconds_to_full": "Seconds until no byte is free, while it fills steadily; +Inf while it does not",
    "volume_seconds_to_no_inode": "Seconds until no inode is free, while they go steadily; +Inf while they do not",
}
