"""Which addresses a stack of containers gets, and when it may be reached by them."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from targets.containers import network
from targets.ports import BLOCK, LOWEST
from targets.target import TargetError

HEAD = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"


def routes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *rows: str) -> None:
    table = tmp_path / "route"
    table.write_text(HEAD + "".join(f"eth0 {row}\n" for row in rows))
    monkeypatch.setattr(network, "ROUTES", table)


def row(cidr: str) -> str:
    found = ipaddress.IPv4Network(cidr)
    target, mask = (int(each).to_bytes(4, "little").hex() for each in (found.network_address, found.netmask))
    return f"{target} 00000000 0001 0 0 0 {mask} 0 0 0"


def test_stacks_with_other_ports_get_other_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    routes(tmp_path, monkeypatch, row("0.0.0.0/0"), row("10.0.0.0/8"))
    found = [network.free(LOWEST + place * BLOCK, 12) for place in range(3)]
    assert found == ["198.18.0.0/27", "198.18.0.32/27", "198.18.0.64/27"]


def test_what_is_routed_already_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    routes(tmp_path, monkeypatch, row("198.18.0.0/16"))
    assert network.free(LOWEST, 12) == "198.19.0.0/27"
    routes(tmp_path, monkeypatch, row("198.18.0.0/15"))
    with pytest.raises(TargetError, match="no network is left"):
        network.free(LOWEST, 12)


def test_no_table_is_no_route(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "ROUTES", tmp_path / "none")
    assert network.free(LOWEST, 12) == "198.18.0.0/27"


def test_each_part_has_its_address() -> None:
    assert network.addresses("198.18.0.32/27", ("a", "b")) == {"a": "198.18.0.34", "b": "198.18.0.35"}


def test_a_network_is_here_where_its_own_end_is_this_machine_s() -> None:
    assert network.is_here("127.0.0.0/27")
    assert not network.is_here("198.19.255.224/27")
