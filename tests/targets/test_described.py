"""A system of which a target file is all that is known: started, struck, stopped and cleared away by hooks alone."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import psutil
import pytest

from drills.execution.heal import Residual, heal
from faults.kill import Kill
from faults.partition import Partition
from targets.described import DESCRIBED, DescribedRuntime, DescribedTarget
from targets.description import Description, Handshake, Hooked, Proxied, ends
from targets.health import get
from targets.ports import BLOCK, LOWEST, accepts
from targets.processes import belonging, keepers
from targets.registry import cleanup, described
from targets.runtime import Request
from targets.site import Plan, Site, sites
from targets.target import Fetch, StartFailed, TargetError, Unlabelled

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
    unsupported=("books", "operator", "alerts"),
)


ENGINE = """
import json, os, signal, subprocess, sys
orders, pids = sys.argv[1:]
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
quiet = subprocess.DEVNULL
while True:
    with open(orders) as file:
        for line in file:
            made = subprocess.Popen(json.loads(line), stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
            with open(pids, "a") as note:
                print(made.pid, file=note)
"""
"""What stands for a container engine or an init system: it starts what it is asked for, as children of its own."""

HAND_OVER = """
import json, sys
orders, folder, port = sys.argv[1:]
argv = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", folder, port]
with open(orders, "w") as file:
    print(json.dumps(argv), file=file)
"""
"""A start hook that leaves the service in other hands."""

TAKE_BACK = "import os, sys; os.kill(int(open(sys.argv[1]).read().split()[-1]), 15)"
REFUSE = ("{python}", "-c", "raise SystemExit('no engine answers')")


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


@pytest.fixture
def handed(tmp_path: Path) -> Iterator[Hooked]:
    """A service that an engine has in its hands; both are ended here whatever becomes of them."""
    orders, pids = tmp_path / "orders", tmp_path / "handed.pids"
    os.mkfifo(orders)
    with subprocess.Popen([sys.executable, "-c", ENGINE, str(orders), str(pids)]) as engine:
        start = ("{python}", "-c", HAND_OVER, str(orders), "{public}", "{port}")
        yield Hooked(start=start, health="/drill-target.json", stop=("{python}", "-c", TAKE_BACK, str(pids)))
        engine.kill()
    for pid in map(int, pids.read_text().split() if pids.exists() else ()):
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            if str(tmp_path / "cache" / "sites") in " ".join(process.cmdline()):  # not another by the same number
                process.kill()


def noting(notes: Path) -> tuple[str, ...]:
    """A stop hook that only writes down that it was asked."""
    return ("{python}", "-c", f"open({str(notes)!r}, 'a').write('{{port}} ')")


def orphaned(description: Description, logs: Path) -> Path:
    """The folder of one whose owner was killed as soon as it was up."""
    code = (
        "import os, sys, msgspec; from pathlib import Path\n"
        "from targets.described import DescribedTarget; from targets.description import Description\n"
        "from targets.runtime import Request\n"
        "made = msgspec.json.decode(sys.argv[1], type=Description)\n"
        "target = DescribedTarget(made, Request('x/run', 7, '', None, 1, Path(sys.argv[2]), 'embedded'))\n"
        "target.__enter__(); print(target.folder, flush=True); os.kill(os.getpid(), 9)\n"
    )
    argv = [sys.executable, "-c", code, msgspec.json.encode(description).decode(), str(logs)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    folder = Path(done.stdout.strip())
    assert done.stdout.strip(), done.stderr
    assert folder.is_dir(), done.stderr
    return folder


def unlabelled(folder: Path) -> bool:
    """Whether no process of the service shows the label, within a while."""
    until = time.monotonic() + 10
    while (seen := belonging(folder, "web")) and time.monotonic() < until:
        time.sleep(0.02)
    return not seen


def changed(**fields: object) -> Description:
    return msgspec.structs.replace(FILES, **fields)


def test_it_serves_through_its_link_and_shows_the_token(site: DescribedTarget) -> None:
    shown = site.handshake()
    assert shown.ok
    assert site.plan.token not in shown.says
    (link,) = site.links().values()
    assert site.customers_url() == f"http://{link.listen}"
    assert get(int(link.listen.rpartition(":")[2]), "/drill-target.json", 5.0).status == 200
    service = site.services()["web"]
    assert service.healthy
    assert service.pid in belonging(site.folder, "web")
    assert site.engines()["target"] == "files, described by a file 000000000000"
    assert list(site.world()) == []
    site.proxies().set_enabled("front", False)
    with pytest.raises(TargetError):
        get(int(link.listen.rpartition(":")[2]), "/", 1.0)


def test_its_service_can_be_cut_off_by_its_links(site: DescribedTarget) -> None:
    assert site.capabilities().partitionable == {"web"}
    port = int(site.links()["front"].listen.rpartition(":")[2])
    fault = Partition(service="web")
    assert fault.inject(site).data["not_cut"] == ["whatever it has that passes through none of its links"]
    assert fault.verify_effect(site).data["effect_seen"] is True
    with pytest.raises(TargetError):
        get(port, "/drill-target.json", 0.5)
    attached = cleanup("described").attach(site.intent())
    assert fault.rollback(attached).ok
    assert fault.verify_removed(site).ok
    assert get(port, "/drill-target.json", 5.0).status == 200


def test_who_is_told_where_a_link_listens_is_its_client() -> None:
    told = Hooked(start=(*SERVE, "{link.back}"), health="tcp")
    both = changed(
        services={"web": told, "store": FILES.services["web"]},
        links={"front": Proxied("web"), "back": Proxied("store"), "out": Proxied("127.0.0.1:9")},
    )
    assert {link: ends(both, link) for link in both.links} == {
        "front": ("web",), "back": ("web", "store"), "out": (),
    }  # fmt: skip


def test_of_the_optional_parts_it_has_the_partitioning_alone(site: DescribedTarget) -> None:
    has_not = (site.alerts, site.operator_tool, site.books, site.conditions, site.business_clock)
    assert has_not == (None,) * 5
    assert site.partitioning is site
    offered = site.capabilities()
    assert (offered.books, offered.operator, offered.alerts) == ((), None, False)
    assert set(offered.unsupported) == {"books", "operator", "alerts"}


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
    """Nothing of the new one may be seen yet when it is looked for."""
    site.signal("web", signal.SIGKILL)
    until = time.monotonic() + 10
    while site.services()["web"].pid is not None and time.monotonic() < until:
        time.sleep(0.02)
    not_yet: list[list[int]] = [[], []]
    monkeypatch.setattr("targets.site.belonging", lambda *whose: not_yet.pop() if not_yet else belonging(*whose))
    site.start("web")
    assert site.services()["web"].healthy


def test_nothing_is_left_of_it(request_: Request) -> None:
    with DescribedTarget(FILES, request_) as target:
        pids = belonging(target.folder)
        assert len(pids) == 2  # the service and the proxy
        assert DESCRIBED.owned(target.intent())
        assert DESCRIBED.abandoned() == []
    assert belonging(target.folder) == []
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert list(sites().iterdir()) == []


def test_another_process_finds_it_by_its_folder_and_ends_it(site: DescribedTarget) -> None:
    found = cleanup("described").attach(site.intent())
    assert isinstance(found, Site)
    assert found.handshake().ok
    said = list(DESCRIBED.end(site.intent()))
    assert said[0] == "stopped web"
    assert said[-1] == f"removed {site.folder}"
    assert belonging(site.folder) == []
    assert list(DESCRIBED.end(site.intent()))[-1] == f"removed {site.folder}"


def test_one_whose_owner_died_is_found_by_its_label(tmp_path: Path) -> None:
    folder = orphaned(FILES, tmp_path / "logs")
    (left,) = DESCRIBED.abandoned()
    assert left.stack == str(folder)
    assert not DESCRIBED.owned(left)
    assert belonging(folder, "web")
    list(DESCRIBED.end(left))
    assert (belonging(folder), DESCRIBED.abandoned(), folder.exists()) == ([], [], False)


def test_one_that_is_described_no_more_is_ended(tmp_path: Path) -> None:
    folder = orphaned(FILES, tmp_path / "logs")
    (folder / "site.json").write_text('{"description": ')
    (left,) = DESCRIBED.abandoned()
    first, last = DESCRIBED.end(left)
    assert first.startswith(f"could not attach: {folder} describes no system: ")
    assert last == f"removed {folder}"
    assert (belonging(folder), DESCRIBED.abandoned(), folder.exists()) == ([], [], False)


def test_one_whose_folder_is_gone_is_ended(tmp_path: Path) -> None:
    folder = orphaned(FILES, tmp_path / "logs")
    shutil.rmtree(folder)
    assert [left.stack for left in DESCRIBED.abandoned()] == [str(folder)]
    list(DESCRIBED.end(DESCRIBED.abandoned()[0]))
    assert (belonging(folder), DESCRIBED.abandoned()) == ([], [])


def test_what_still_answers_is_said_although_nothing_describes_it(tmp_path: Path, handed: Hooked) -> None:
    folder = orphaned(changed(services={"web": handed}), tmp_path / "logs")
    (left,) = DESCRIBED.abandoned()
    port = DESCRIBED.attach(left).plan.ports["web"]
    (folder / "site.json").unlink()
    with pytest.raises(TargetError, match=rf"^process \d+ .* still listens on port {port} of web: end it$"):
        list(DESCRIBED.end(left))
    assert DESCRIBED.abandoned() == [left]
    with socket.create_connection(("127.0.0.1", port)), claimed_again(port):
        assert list(DESCRIBED.end(left))[-1] == f"removed {folder}"  # what listens there now may be another run's


@contextlib.contextmanager
def claimed_again(port: int) -> Iterator[None]:
    """Another run has the block of ports by now."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as claim:
        claim.bind(f"\0kunren-ports-{LOWEST + (port - LOWEST) // BLOCK * BLOCK}")
        yield


def test_who_has_only_taken_its_port_is_named_and_left_alone(
    request_: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A port in the run's own block proves nothing: here it is this very process."""
    monkeypatch.setattr("targets.site.SILENT_WITHIN_S", 0.1)
    target = DescribedTarget(FILES, request_)
    target.__enter__()
    target.signal("web", signal.SIGKILL)
    until = time.monotonic() + 10
    while accepts(port := target.plan.ports["web"]) and time.monotonic() < until:
        time.sleep(0.02)
    with socket.create_server(("127.0.0.1", port)):
        says = rf"process {os.getpid()} .* still listens on port {port} of web: end it$"
        with pytest.raises(TargetError, match=says):
            target.__exit__(None, None, None)
        assert DESCRIBED.abandoned() == [target.intent()]
    assert list(DESCRIBED.end(target.intent()))[-1] == f"removed {target.folder}"


def test_a_service_that_writes_over_its_environment_is_killed_and_comes_back(request_: Request) -> None:
    clobber = (
        "import ctypes, sys; found = open('/proc/self/stat').read().rsplit(')', 1)[1].split()\n"
        "first, last = int(found[47]), int(found[48]); ctypes.memset(first, 0, last - first)\n"
        "import http.server, functools\n"
        "serve = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])\n"
        "http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[2])), serve).serve_forever()\n"
    )
    start = ("env", "-i", "{python}", "-c", clobber, "{public}", "{port}")
    one = changed(services={"web": Hooked(start=start, health="/drill-target.json")})
    with DescribedTarget(one, request_) as target:
        fault = Kill(service="web")
        assert fault.inject(target).ok
        assert fault.verify_effect(target).ok
        assert fault.rollback(target).ok
        assert fault.verify_removed(target).ok
        assert target.unguarded() == ()
    assert (belonging(target.folder), list(sites().iterdir())) == ([], [])


def test_a_killed_keeper_is_noticed(site: DescribedTarget) -> None:
    assert site.unguarded() == ()
    (keeper,) = keepers(site.folder, "web")
    os.kill(keeper, signal.SIGKILL)
    until = time.monotonic() + 10
    while not (said := site.unguarded()) and time.monotonic() < until:
        time.sleep(0.02)
    assert said == ("the keeper of a service was killed",)


def test_a_lock_that_is_gone_is_noticed(site: DescribedTarget) -> None:
    (site.folder / "owner.lock").unlink()
    assert site.unguarded() == (f"the owner's lock in {site.folder} is gone",)


def test_what_prepares_it_may_leave_a_child_that_is_ended_with_it(request_: Request) -> None:
    prepared = changed(prepare=(("sh", "-c", "sleep 600 &"),))
    with DescribedTarget(prepared, request_) as target:
        (left,) = (
            set(belonging(target.folder))
            - {*belonging(target.folder, "web")}
            - {*belonging(target.folder, "toxiproxy")}
        )
    assert not psutil.pid_exists(left)


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
    with pytest.raises(StartFailed, match="web ended while starting; its log ends: no disk"):
        DescribedTarget(fails, request_).__enter__()
    absent = changed(services={"web": Hooked(start=("/no/such/program",), health="tcp")})
    with pytest.raises(StartFailed, match="cannot run /no/such/program: No such file or directory"):
        DescribedTarget(absent, request_).__enter__()
    slow = changed(services={"web": Hooked(start=("sleep", "60"), health="tcp", within_s=0.2)})
    with pytest.raises(StartFailed, match=r"web did not get healthy within 0\.2 s: nothing accepts connections"):
        DescribedTarget(slow, request_).__enter__()
    assert list(sites().iterdir()) == []


def test_a_port_that_is_taken_is_said_before_anything_starts(site: DescribedTarget, request_: Request) -> None:
    port = site.plan.ports["web"]
    fixed = changed(services={"web": replace_port(FILES.services["web"], port)})
    assert DescribedRuntime(fixed, b"").lacking("embedded") == (
        f"port {port} of files is taken: end what listens there",
    )
    with pytest.raises(StartFailed, match=f"something else listens on port {port} of web already"):
        DescribedTarget(fixed, request_).__enter__()


def test_what_somebody_else_serves_is_not_stopped(site: DescribedTarget, request_: Request, tmp_path: Path) -> None:
    web = Hooked(start=SERVE, health="tcp", stop=noting(tmp_path / "notes"), port=site.plan.ports["web"])
    with pytest.raises(TargetError, match=r"of web already$"):
        DescribedTarget(changed(services={"web": web}), request_).__enter__()
    assert not (tmp_path / "notes").exists()
    assert site.services()["web"].healthy


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
    with pytest.raises(StartFailed, match="exit status 1; its log ends: no network"):
        DescribedTarget(failing, request_).__enter__()


def test_a_stop_hook_is_asked_first(request_: Request, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    stop = ("{python}", "-c", f"open({str(notes)!r}, 'a').write('{{port}}')")
    asked = changed(services={"web": Hooked(start=SERVE, health="tcp", stop=stop)})
    with DescribedTarget(asked, request_) as target:
        pass
    assert notes.read_text() == str(target.plan.ports["web"])
    assert belonging(target.folder) == []


def test_what_is_in_other_hands_is_stopped_by_its_hook(request_: Request, handed: Hooked) -> None:
    with DescribedTarget(changed(services={"web": handed}), request_) as target:
        assert target.handshake().ok
        assert unlabelled(target.folder)
    assert not accepts(target.plan.ports["web"])
    assert list(sites().iterdir()) == []


def test_what_a_killed_owner_left_in_other_hands_is_stopped_by_its_hook(tmp_path: Path, handed: Hooked) -> None:
    folder = orphaned(changed(services={"web": handed}), tmp_path / "logs")
    (left,) = DESCRIBED.abandoned()
    assert left.stack == str(folder)
    port = DESCRIBED.attach(left).plan.ports["web"]
    assert unlabelled(folder)
    assert accepts(port)
    assert list(DESCRIBED.end(left)) == ["stopped web", f"removed {folder}"]
    assert not accepts(port)


def test_what_its_hook_does_not_stop_is_said(
    request_: Request, handed: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("targets.site.SILENT_WITHIN_S", 0.1)
    fails = changed(services={"web": msgspec.structs.replace(handed, stop=REFUSE)})
    target = DescribedTarget(fails, request_)
    port = target.plan.ports["web"]
    says = r"could not stop web: .* exit 1: no engine answers, and something still answers on port \d+; process \d+ .*"
    with pytest.raises(TargetError, match=says + f"still listens on port {port} of web: end it"), target:
        pass
    assert accepts(port)
    assert belonging(target.folder) == []
    assert DESCRIBED.abandoned() == [target.intent()]  # it is found again, for as long as something answers


def test_what_its_hook_does_not_stop_is_said_by_who_heals(
    tmp_path: Path, handed: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("targets.site.SILENT_WITHIN_S", 0.1)
    folder = orphaned(changed(services={"web": msgspec.structs.replace(handed, stop=REFUSE)}), tmp_path / "logs")
    (left,) = DESCRIBED.abandoned()
    port = DESCRIBED.attach(left).plan.ports["web"]
    said = heal(Residual(left, None, ()))
    assert not said.ended
    first, last = said.said
    assert first.startswith("could not stop web: ")
    assert first.endswith(f"exit 1: no engine answers, and something still answers on port {port}")
    assert last.startswith(f"{folder.name} could not be ended: process ")
    assert last.endswith(f"still listens on port {port} of web: end it")
    assert DESCRIBED.abandoned() == [left]


def test_a_stop_hook_that_fails_is_said_although_its_processes_are_ended(request_: Request) -> None:
    fails = changed(services={"web": Hooked(start=SERVE, health="tcp", stop=REFUSE)})
    target = DescribedTarget(fails, request_)
    with pytest.raises(TargetError, match=r"could not stop web: .* exit 1: no engine answers$"), target:
        pass
    assert belonging(target.folder) == []


def test_a_service_that_was_not_started_is_not_stopped(request_: Request, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    first = Hooked(start=SERVE, health="tcp", stop=noting(notes))
    fails = Hooked(start=("{python}", "-c", "raise SystemExit('no disk')"), health="tcp", stop=REFUSE)
    later = Hooked(start=SERVE, health="tcp", stop=REFUSE)
    target = DescribedTarget(changed(services={"web": first, "store": fails, "last": later}), request_)
    with pytest.raises(TargetError, match=r"store ended while starting; its log ends: no disk$"):
        target.__enter__()
    assert notes.read_text().split() == [str(target.plan.ports["web"])]
    assert list(sites().iterdir()) == []


def test_one_that_did_not_get_healthy_is_stopped_and_both_are_said(request_: Request) -> None:
    slow = Hooked(start=("sleep", "60"), health="tcp", stop=REFUSE, within_s=0.2)
    both = (
        r"web did not get healthy within 0\.2 s: nothing .*; could not stop web: .* no engine answers; it left no log"
    )
    with pytest.raises(TargetError, match=both):
        DescribedTarget(changed(services={"web": slow}), request_).__enter__()
    assert list(sites().iterdir()) == []


def test_what_was_started_before_is_stopped_though_it_did_not_start_again(request_: Request, tmp_path: Path) -> None:
    notes, once = tmp_path / "notes", tmp_path / "once"
    code = "import os, sys; os.mkdir(sys.argv[1]); os.execv(sys.executable, [sys.executable, *sys.argv[2:]])"
    start = ("{python}", "-c", code, str(once), *SERVE[1:])
    with DescribedTarget(
        changed(services={"web": Hooked(start=start, health="tcp", stop=noting(notes))}), request_
    ) as target:
        (pid,) = belonging(target.folder, "web")
        target.signal("web", signal.SIGKILL)
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(pid).wait(10)
        with pytest.raises(TargetError, match="web ended while starting"):
            target.start("web")
    assert notes.read_text().split() == [str(target.plan.ports["web"])]


def test_two_stand_side_by_side(site: DescribedTarget, request_: Request, tmp_path: Path) -> None:
    with DescribedTarget(FILES, replace(request_, logs=tmp_path / "other")) as other:
        assert other.handshake().ok
        assert other.plan.token != site.plan.token
        assert not set(belonging(other.folder)) & set(belonging(site.folder))
    assert site.services()["web"].healthy


def test_its_file_of_the_run_is_for_its_owner_alone(site: DescribedTarget) -> None:
    assert os.stat(site.folder / "site.json").st_mode & 0o077 == 0
    assert msgspec.json.decode((site.folder / "site.json").read_bytes(), type=Plan) == site.plan


def test_its_runtime_says_what_the_file_says() -> None:
    way = described(FILES, b"target: files\n")
    assert (way.name, way.source, way.compression) == ("files", b"target: files\n", 1)
    assert way.capabilities().links == {"front"}
    assert way.capabilities().loads["browsing"]["pages"].rate == 20.0
    assert way.lacking("embedded") == ()
