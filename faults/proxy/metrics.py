"""Bytes through each proxy in the Prometheus text format, under Toxiproxy's metric names."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client.registry import Collector

from faults.proxy.proxy import Proxies

__all__ = ["CONTENT_TYPE", "exposition"]

LABELS = ("direction", "proxy", "listener", "upstream")


class ByteCounters(Collector):
    """Reads the proxies' meters when asked."""

    def __init__(self, proxies: Proxies) -> None:
        self.proxies = proxies

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Two counters per proxy and direction."""
        received = CounterMetricFamily("toxiproxy_proxy_received_bytes", "Bytes received.", labels=LABELS)
        sent = CounterMetricFamily("toxiproxy_proxy_sent_bytes", "Bytes sent on.", labels=LABELS)
        for proxy in self.proxies.values():
            for direction, meter in proxy.meters.items():
                labels = (direction, proxy.name, proxy.listen, proxy.upstream)
                received.add_metric(labels, meter.received)
                sent.add_metric(labels, meter.sent)
        yield received
        yield sent


def exposition(proxies: Proxies) -> bytes:
    """The text of ``GET /metrics``."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ByteCounters(proxies))
    return generate_latest(registry)
