"""Described systems of which something answers at ``::1``, as ``localhost`` does on many machines."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import msgspec
import psutil
import pytest

from faults.partition import Partition
from targets.described import DescribedRuntime, DescribedTarget
from targets.description import Description, Handshake, Hooked, Proxied
from targets.health import get
from targets.loopback import split
from targets.processes import belonging
from targets.registry import cleanup
from targets.runtime import Request
from targets.site import sites
from targets.target import Fetch, StartFailed

from .ipv6 import needs_ipv6
from .ports import free_ports
from .servers import http_server

SERVE = ("{python}", "-m", "http.server", "--bind", "::1", "--directory", "{public}", "{port}")

SIX = Description(
    name="six",
    here="/",
    sha256="0" * 64,
    services={"web": Hooked(start=SERVE, health="/drill-target.json")},
    links={"front": Proxied("web")},
    customers="front",
    handshake=Handshake(service="web", path="/drill-target.json"),
    loads={"browsing": {"pages": Fetch("GET", "/drill-target.json", 200, 20.0)}},
    unsupported=("books", "operator", "alerts"),
)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_ipv6()
    monkeypatch.setenv("KUNREN_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def request_(tmp_path: Path) -> Request:
    return Request("x/run", 7, "", None, 1, tmp_path / "logs", "embedded")


def changed(**fields: object) -> Description:
    return msgspec.structs.replace(SIX, **fields)


def status(target: DescribedTarget, link: str) -> int:
    return get(split(target.links()[link].listen)[1], "/drill-target.json", 5.0).status


def test_its_link_leads_to_where_it_answers(request_: Request) -> None:
    with DescribedTarget(SIX, request_) as target:
        where = f"[::1]:{target.plan.ports['web']}"
        assert target.handshake().ok
        assert target.services()["web"].healthy
        assert target.links()["front"].upstream == where
        assert status(target, "front") == 200
        attached = cleanup("described").attach(target.intent())
        assert attached.links()["front"].upstream == where
        assert attached.services()["web"].healthy


def killed(target: DescribedTarget) -> None:
    """Kill the service, and wait until nothing of it is left."""
    there = [psutil.Process(pid) for pid in belonging(target.folder, "web")]
    target.signal("web", signal.SIGKILL)
    assert psutil.wait_procs(there, timeout=10)[1] == []


def test_it_can_be_cut_off_and_killed_like_any_other(request_: Request) -> None:
    with DescribedTarget(SIX, request_) as target:
        fault = Partition(service="web")
        assert fault.inject(target).ok
        assert fault.verify_effect(target).data["effect_seen"] is True
        assert fault.rollback(target).ok
        killed(target)
        target.start("web")
        assert status(target, "front") == 200


def test_after_a_restart_its_link_follows_it_to_the_other_address(request_: Request, tmp_path: Path) -> None:
    """The first time it listens at ::1, then at 127.0.0.1."""
    code = (
        "import os, sys; first = not os.path.exists(sys.argv[1]); open(sys.argv[1], 'w').close();"
        " os.execv(sys.executable, [sys.executable, '-m', 'http.server', '--bind', '::1' if first else '127.0.0.1',"
        " '--directory', *sys.argv[2:]])"
    )
    start = ("{python}", "-c", code, str(tmp_path / "once"), "{public}", "{port}")
    with DescribedTarget(changed(services={"web": Hooked(start=start, health="tcp")}), request_) as target:
        assert target.links()["front"].upstream.startswith("[::1]:")
        target.proxies().add_toxic("front", "t", "latency", "upstream", 1.0, {"latency": 1})
        killed(target)
        target.start("web")
        assert target.links()["front"].upstream == f"127.0.0.1:{target.plan.ports['web']}"
        assert status(target, "front") == 200
        assert list(target.proxies().toxics("front")) == ["t"]


def test_what_still_answers_there_after_its_end_is_said(request_: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("targets.site.SILENT_WITHIN_S", 0.1)
    with DescribedTarget(SIX, request_) as target:
        port = target.plan.ports["web"]
        killed(target)
        with socket.create_server(("::1", port), family=socket.AF_INET6):
            assert target.stop("web") == (f"something still answers on port {port}",)
        assert target.stop("web") == ()


def test_a_port_that_is_taken_there_is_taken(request_: Request) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        port = listener.getsockname()[1]
        taken = changed(services={"web": msgspec.structs.replace(SIX.services["web"], port=port)})
        says = (f"port {port} of six is taken: end what listens there",)
        assert DescribedRuntime(taken, b"").lacking("embedded") == says
        with pytest.raises(StartFailed, match=f"something else listens on port {port} of web already"):
            DescribedTarget(taken, request_).__enter__()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_localhost_is_the_address_that_answers(request_: Request, host: str) -> None:
    with http_server(lambda path: (200, {}, b""), host) as port:
        links = {"front": Proxied("web"), "out": Proxied(f"localhost:{port}"), "same": Proxied(f"[::1]:{port}")}
        with DescribedTarget(changed(links=links), request_) as target:
            assert split(target.links()["out"].upstream) == (host, port)
            assert status(target, "out") == 200
            assert target.links()["same"].upstream == f"[::1]:{port}"


def test_localhost_may_be_what_a_service_starts(request_: Request) -> None:
    (port,) = free_ports(1)
    both = {
        "web": SIX.services["web"],
        "store": Hooked(start=(*SERVE[:-1], str(port)), health="tcp", port=port),
    }
    links = {"front": Proxied("web"), "store": Proxied(f"localhost:{port}")}
    with DescribedTarget(changed(services=both, links=links), request_) as target:
        assert target.links()["store"].upstream == f"[::1]:{port}"
        assert status(target, "store") == 200


def test_localhost_where_nothing_answers_is_refused(request_: Request) -> None:
    (port,) = free_ports(1)
    links = {"front": Proxied("web"), "out": Proxied(f"localhost:{port}")}
    with pytest.raises(
        StartFailed, match=f"nothing answers at localhost:{port}, to which a link is to lead: 127.0.0.1 and"
    ):
        DescribedTarget(changed(links=links), request_).__enter__()
    assert list(sites().iterdir()) == []
