"""A system of which a target file is all that is known: started, struck, stopped and cleared away by hooks alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import psutil
import pytest

from faults.partition import Partition
from targets import hooks
from targets.described import DESCRIBED, DescribedRuntime, DescribedTarget
from targets.description import Description, Handshake, Hooked, Proxied, ends
from targets.registry import caretaker, described
from targets.runtime import Request
from targets.site import Plan, Site, get, sites
from targets.target import Fetch, TargetError, Unlabelled

SERVE = ("{python}", "-m", "http.server", "--bind", "127.0.0.1", "--directory", "{public}", "{port}")
"""An HTTP application that none of us wrote."""

FILES = Description(
    name="files",
    here="/",
    sha256="0" * 64,
    services={"web": Hooked(start=SERVE, health="/drill-target.json")},
    links={"front": Proxied("web")},
    customers="front",
    handshake=Handshake(service="web", path="/drill-target.json"),
    loads={"browsing": {"pages": Fetch("GET", "/drill-target.json", 200, 20.0)}},
    not_offered=("books", "operator", "alerts"),
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KUNREN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def request_(tmp_path: Path) -> Request:
    return Request("x/run", 7, "", None, 1, tmp_path / "logs", "embedded")


@pytest.fixture
def site(request_: Request) -> Iterator[DescribedTarget]:
    with DescribedTarget(FILES, request_) as target:
        yield target


def changed(**fields: object) -> Description:
    return msgspec.structs.replace(FILES, **fields)


def test_it_serves_through_its_link_and_shows_the_token(site: DescribedTarget) -> None:
    shown = site.handshake()
    assert shown.ok
    assert site.plan.token not in shown.says
    (link,) = site.links().values()
    assert site.customers_url() == f"http://{link.listen}"
    assert get(int(link.listen.rpartition(":")[2]), "/drill-target.json", 5.0)[0] == 200
    service = site.services()["web"]
    assert service.healthy
    assert service.pid in hooks.labelled(site.folder, "web")
    assert site.engines()["target"] == "files, described by a file 000000000000"
    assert (site.alerts(0), site.heartbeat(), list(site.world())) == ((), None, [])
    site.proxies().set_enabled("front", False)
    with pytest.raises(TargetError):
        get(int(link.listen.rpartition(":")[2]), "/", 1.0)


def test_its_service_can_be_cut_off_by_its_links(site: DescribedTarget) -> None:
    assert site.offer().partitionable == {"web"}
    port = int(site.links()["front"].listen.rpartition(":")[2])
    fault = Partition(service="web")
    assert fault.inject(site).data["not_cut"] == ["whatever it has that passes through none of its links"]
    assert fault.witness(site).data["effect_seen"] is True
    with pytest.raises(TargetError):
        get(port, "/drill-target.json", 0.5)
    attached = caretaker("described").attach(site.intent())
    assert fault.undo(attached).ok
    assert fault.gone(site).ok
    assert get(port, "/drill-target.json", 5.0)[0] == 200


def test_who_is_told_where_a_link_listens_is_its_client() -> None:
    told = Hooked(start=(*SERVE, "{link.back}"), health="tcp")
    both = changed(
        services={"web": told, "store": FILES.services["web"]},
        links={"front": Proxied("web"), "back": Proxied("store"), "out": Proxied("127.0.0.1:9")},
    )
    assert {link: ends(both, link) for link in both.links} == {
        "front": ("web",), "back": ("web", "store"), "out": (),
    }  # fmt: skip


def test_what_it_does_not_offer_it_refuses(site: DescribedTarget) -> None:
    for ask in (lambda: site.operator(("x",), "operator", 1.0), lambda: site.book("oms"), lambda: site.plant("x", {})):
        with pytest.raises(TargetError, match="target files offers no "):
            ask()
    offered = site.offer()
    assert (offered.books, offered.operator, offered.alerts) == ((), False, False)
    assert set(offered.not_offered) == {"books", "operator", "alerts"}


def test_a_killed_service_is_dead_and_its_start_hook_brings_it_back(site: DescribedTarget) -> None:
    before = site.services()["web"].pid
    site.signal("web", signal.SIGKILL)
    until = time.monotonic() + 10
    while (seen := site.services()["web"]).pid is not None and time.monotonic() < until:
        time.sleep(0.02)
    assert (seen.pid, seen.healthy) == (None, False)
    with pytest.raises(TargetError, match="no process of web"):
        site.signal("web", signal.SIGKILL)
    site.start("web")
    after = site.services()["web"]
    assert after.healthy
    assert after.pid not in (None, before)
    site.start("web")
    assert site.services()["web"].pid == after.pid


def test_one_that_was_killed_before_is_not_taken_for_the_one_that_starts(
    site: DescribedTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new process carries its label only a moment after it is there."""
    site.signal("web", signal.SIGKILL)
    until = time.monotonic() + 10
    while site.services()["web"].pid is not None and time.monotonic() < until:
        time.sleep(0.02)
    not_yet: list[list[int]] = [[], []]
    seen = hooks.labelled
    monkeypatch.setattr(hooks, "labelled", lambda *whose: not_yet.pop() if not_yet else seen(*whose))
    site.start("web")
    assert site.services()["web"].healthy


def test_nothing_is_left_of_it(request_: Request) -> None:
    with DescribedTarget(FILES, request_) as target:
        pids = hooks.labelled(target.folder)
        assert len(pids) == 2  # the service and the proxy
        assert DESCRIBED.owned(target.intent())
        assert DESCRIBED.abandoned() == []
    assert hooks.labelled(target.folder) == []
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert list(sites().iterdir()) == []


def test_another_process_finds_it_by_its_folder_and_ends_it(site: DescribedTarget) -> None:
    found = caretaker("described").attach(site.intent())
    assert isinstance(found, Site)
    assert found.handshake().ok
    said = list(DESCRIBED.end(site.intent()))
    assert said[0] == "stopped web"
    assert said[-1] == f"removed {site.folder}"
    assert hooks.labelled(site.folder) == []
    assert list(DESCRIBED.end(site.intent()))[-1] == f"removed {site.folder}"


def test_one_whose_owner_died_is_found_by_its_label(tmp_path: Path, request_: Request) -> None:
    code = (
        "import os, sys, msgspec; from pathlib import Path\n"
        "from targets.described import DescribedTarget; from targets.description import Description\n"
        "from targets.runtime import Request\n"
        "made = msgspec.json.decode(sys.argv[1], type=Description)\n"
        "target = DescribedTarget(made, Request('x/run', 7, '', None, 1, Path(sys.argv[2]), 'embedded'))\n"
        "target.__enter__(); print(target.folder, flush=True); os.kill(os.getpid(), 9)\n"
    )
    argv = [sys.executable, "-c", code, msgspec.json.encode(FILES).decode(), str(tmp_path / "logs")]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    folder = Path(done.stdout.strip())
    assert folder.is_dir(), done.stderr
    (left,) = DESCRIBED.abandoned()
    assert left.stack == str(folder)
    assert not DESCRIBED.owned(left)
    assert hooks.labelled(folder, "web")
    list(DESCRIBED.end(left))
    assert (hooks.labelled(folder), DESCRIBED.abandoned(), folder.exists()) == ([], [], False)


def test_who_does_not_show_this_runs_token_is_refused(request_: Request) -> None:
    old = changed(handshake=Handshake(run=("{python}", "-c", "print('kunren.drill-target', 'some-older-token')")))
    with DescribedTarget(old, request_) as target, pytest.raises(Unlabelled, match="does not show the drill label"):
        target.handshake()
    mute = changed(handshake=Handshake(service="web", path="/none.json"))
    with DescribedTarget(mute, request_) as target, pytest.raises(Unlabelled, match=r"web/none\.json answered 404"):
        target.handshake()


def test_a_hook_may_show_it(request_: Request) -> None:
    shows = changed(
        handshake=Handshake(run=("{python}", "-c", "import os; print('{label}', os.environ['KUNREN_TOKEN'])"))
    )
    with DescribedTarget(shows, request_) as target:
        assert target.handshake().ok


def test_what_is_in_the_way_of_starting_is_said(request_: Request) -> None:
    fails = changed(services={"web": Hooked(start=("{python}", "-c", "raise SystemExit('no disk')"), health="tcp")})
    with pytest.raises(TargetError, match="web ended while starting; its log ends: no disk"):
        DescribedTarget(fails, request_).__enter__()
    absent = changed(services={"web": Hooked(start=("/no/such/program",), health="tcp")})
    with pytest.raises(TargetError, match="cannot run /no/such/program: No such file or directory"):
        DescribedTarget(absent, request_).__enter__()
    slow = changed(services={"web": Hooked(start=("sleep", "60"), health="tcp", within_s=0.2)})
    with pytest.raises(TargetError, match=r"web did not get healthy within 0\.2 s"):
        DescribedTarget(slow, request_).__enter__()
    assert list(sites().iterdir()) == []


def test_a_port_that_is_taken_is_said_before_anything_starts(site: DescribedTarget, request_: Request) -> None:
    port = site.plan.ports["web"]
    fixed = changed(services={"web": replace_port(FILES.services["web"], port)})
    assert DescribedRuntime(fixed, b"").lacking("embedded") == (
        f"port {port} of files is taken: end what listens there",
    )
    with pytest.raises(TargetError, match=f"something else listens on port {port} of web already"):
        DescribedTarget(fixed, request_).__enter__()


def replace_port(hooked: Hooked, port: int) -> Hooked:
    return msgspec.structs.replace(hooked, port=port)


def test_it_is_prepared_once_for_the_same_commands(request_: Request, tmp_path: Path) -> None:
    note = ("{python}", "-c", f"open({str(tmp_path / 'notes')!r}, 'a').write('x')")
    prepared = changed(prepare=(note,))
    for _ in range(2):
        with DescribedTarget(prepared, request_):
            pass
    assert (tmp_path / "notes").read_text() == "x"
    failing = changed(prepare=(("{python}", "-c", "raise SystemExit('no network')"),))
    with pytest.raises(TargetError, match="exit 1: no network"):
        DescribedTarget(failing, request_).__enter__()


def test_a_stop_hook_is_asked_first(request_: Request, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    stop = ("{python}", "-c", f"open({str(notes)!r}, 'a').write('{{port}}')")
    asked = changed(services={"web": Hooked(start=SERVE, health="tcp", stop=stop)})
    with DescribedTarget(asked, request_) as target:
        pass
    assert notes.read_text() == str(target.plan.ports["web"])
    assert hooks.labelled(target.folder) == []


def test_two_stand_side_by_side(site: DescribedTarget, request_: Request, tmp_path: Path) -> None:
    with DescribedTarget(FILES, replace(request_, logs=tmp_path / "other")) as other:
        assert other.handshake().ok
        assert other.plan.token != site.plan.token
        assert not set(hooks.labelled(other.folder)) & set(hooks.labelled(site.folder))
    assert site.services()["web"].healthy


def test_its_file_of_the_run_is_for_its_owner_alone(site: DescribedTarget) -> None:
    assert os.stat(site.folder / "site.json").st_mode & 0o077 == 0
    assert msgspec.json.decode((site.folder / "site.json").read_bytes(), type=Plan) == site.plan


def test_its_runtime_says_what_the_file_says() -> None:
    way = described(FILES, b"target: files\n")
    assert (way.name, way.source, way.compression) == ("files", b"target: files\n", 1)
    assert way.offer().links == {"front"}
    assert way.offer().loads["browsing"]["pages"].rate == 20.0
    assert way.lacking("embedded") == ()
