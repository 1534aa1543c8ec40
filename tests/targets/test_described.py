"""A system of which a target file is all that is known: started, struck, stopped and cleared away by hooks alone."""

from __future__ import annotations

import contextlib
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
from targets.health import get
from targets.ports import accepts
from targets.registry import caretaker, described
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
    not_offered=("books", "operator", "alerts"),
)


HAND_OVER = """
import os, subprocess, sys
from pathlib import Path
into, folder, port = sys.argv[1:]
quiet = subprocess.DEVNULL
argv = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", folder, port]
bare = {key: value for key, value in os.environ.items() if not key.startswith("KUNREN_")}
with open(into, "a") as file:
    made = subprocess.Popen(argv, env=bare, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
    print(made.pid, file=file)
os._exit(0)
"""
"""A start hook that leaves the service in other hands, as a container engine would: without the label."""

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
    """A service none of whose processes carries the label; ended here whatever becomes of it."""
    pids = tmp_path / "handed.pids"
    start = ("{python}", "-c", HAND_OVER, str(pids), "{public}", "{port}")
    yield Hooked(start=start, health="/drill-target.json", stop=("{python}", "-c", TAKE_BACK, str(pids)))
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
    while (seen := hooks.labelled(folder, "web")) and time.monotonic() < until:
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


def test_one_whose_owner_died_is_found_by_its_label(tmp_path: Path) -> None:
    folder = orphaned(FILES, tmp_path / "logs")
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
    assert hooks.labelled(target.folder) == []


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
    says = r"could not stop web: .* exit 1: no engine answers, and something still answers on port \d+$"
    with pytest.raises(TargetError, match=says), target:
        pass
    assert accepts(target.plan.ports["web"])
    assert hooks.labelled(target.folder) == []
    assert list(sites().iterdir()) == []
    target.__exit__(None, None, None)


def test_what_its_hook_does_not_stop_is_said_by_who_heals(
    tmp_path: Path, handed: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("targets.site.SILENT_WITHIN_S", 0.1)
    folder = orphaned(changed(services={"web": msgspec.structs.replace(handed, stop=REFUSE)}), tmp_path / "logs")
    (left,) = DESCRIBED.abandoned()
    port = DESCRIBED.attach(left).plan.ports["web"]
    first, last = DESCRIBED.end(left)
    assert first.startswith("could not stop web: ")
    assert first.endswith(f"exit 1: no engine answers, and something still answers on port {port}")
    assert last == f"removed {folder}"


def test_a_stop_hook_that_fails_is_said_although_its_processes_are_ended(request_: Request) -> None:
    fails = changed(services={"web": Hooked(start=SERVE, health="tcp", stop=REFUSE)})
    target = DescribedTarget(fails, request_)
    with pytest.raises(TargetError, match=r"could not stop web: .* exit 1: no engine answers$"), target:
        pass
    assert hooks.labelled(target.folder) == []


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
        (pid,) = hooks.labelled(target.folder, "web")
        target.signal("web", signal.SIGKILL)
        psutil.Process(pid).wait(10)
        with pytest.raises(TargetError, match="web ended while starting"):
            target.start("web")
    assert notes.read_text().split() == [str(target.plan.ports["web"])]


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
