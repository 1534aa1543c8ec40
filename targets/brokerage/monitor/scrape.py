"""Reads the services' ``/metrics``: one attempt per job and turn, all jobs at once.

As with Prometheus each series gets the labels ``job`` and ``instance``, a scrape that fails (refused, late, not 200,
not parsed) gives ``up == 0`` and none of the job's other series, and no value outlives its scrape.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Iterable, Mapping

from prometheus_client.parser import text_string_to_metric_families

from targets.brokerage.config import Address
from targets.brokerage.monitor.evaluate import Labels, Sample
from targets.http_async import Connections, NoAnswer

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


def parse_samples(text: str, wanted: Collection[str], target: Mapping[str, str]) -> list[Sample]:
    """The samples of the ``wanted`` metrics in an exposition, labelled with ``target``.

    Only their lines are parsed: parsing everything would take ten times as long, sixteen times a second. A label of
    the series that the target also has is kept as ``exported_NAME``. Raises ValueError.
    """
    lines = [line for line in text.split("\n") if (name := _NAME.match(line)) and name[0] in wanted]
    families = text_string_to_metric_families("\n".join(lines) + "\n")
    return [
        Sample(each.name, _labels(each.labels, target), float(each.value))
        for family in families
        for each in family.samples
    ]


def up(value: bool, target: Mapping[str, str]) -> Sample:
    """The synthetic series that says whether the job's scrape succeeded."""
    return Sample("up", _labels({}, target), float(value))


def _labels(series: Mapping[str, str], target: Mapping[str, str]) -> Labels:
    named = {f"exported_{name}" if name in target else name: value for name, value in series.items() if value}
    return tuple(sorted({**named, **target}.items()))


class Job:
    """One service to scrape, over its own kept connection."""

    def __init__(self, name: str, where: Address, wanted: Collection[str]) -> None:
        self._target = {"job": name, "instance": f"{where.host}:{where.port}"}
        self._connections = Connections(where, repeat=True)
        self._wanted = wanted

    async def scrape(self, timeout_s: float) -> list[Sample]:
        """The wanted samples and ``up``; never fails, never takes longer than ``timeout_s``."""
        try:
            reply = await self._connections.ask("GET", "/metrics", None, timeout_s)
            if reply.status != 200:
                return [up(False, self._target)]
            return [up(True, self._target), *parse_samples(reply.body.decode(), self._wanted, self._target)]
        except (NoAnswer, ValueError):
            return [up(False, self._target)]

    def close(self) -> None:
        """Drop the connection."""
        self._connections.close()


async def scrape_all(jobs: Iterable[Job], timeout_s: float) -> list[Sample]:
    """All jobs' samples of this turn."""
    found = await asyncio.gather(*(job.scrape(timeout_s) for job in jobs))
    return [sample for samples in found for sample in samples]
