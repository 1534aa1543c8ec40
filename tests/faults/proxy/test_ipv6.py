"""Upstreams at ``::1``: both servers lead to them, also when a proxy is changed to one."""

from __future__ import annotations

import socket

import pytest

from faults.probe import connects
from targets.loopback import split
from targets.toxiproxy import ToxiproxyClient

from ...targets.ipv6 import needs_ipv6
from ...targets.servers import tcp_server
from .engines import Engine


def said(address: str) -> bytes:
    with socket.create_connection(split(address), 10) as link:
        link.settimeout(10)
        return link.recv(100)


def leads_there(client: ToxiproxyClient) -> None:
    needs_ipv6()
    with (
        tcp_server(lambda one: one.sendall(b"six"), "::1") as six,
        tcp_server(lambda one: one.sendall(b"four")) as four,
    ):
        listen = client.create("ipv6", "127.0.0.1:0", f"[::1]:{six}")
        assert said(listen) == b"six"
        client.add_toxic("ipv6", "t", "latency", "upstream", 1.0, {"latency": 1})
        client.lead_to("ipv6", f"127.0.0.1:{four}")
        assert said(listen) == b"four"
        client.lead_to("ipv6", f"localhost:{six}")
        assert client.proxies()["ipv6"].upstream == f"[::1]:{six}"
        assert said(listen) == b"six"
        assert list(client.toxics("ipv6")) == ["t"]
        client.destroy("ipv6")
        own = client.create("own", "[::1]:0", f"[::1]:{six}")
        assert own.startswith("[::1]:")
        assert connects(own, 5.0).accepted
        assert said(own) == b"six"
        client.destroy("own")


def test_the_embedded_server(embedded: Engine) -> None:
    leads_there(ToxiproxyClient("127.0.0.1", embedded.port))


@pytest.mark.real
def test_the_original_server(original: Engine) -> None:
    leads_there(ToxiproxyClient("127.0.0.1", original.port))
