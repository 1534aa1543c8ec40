"""The runtime ``local`` and how it is found by name; nothing is started here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from targets.brokerage import postgres
from targets.brokerage.clock import business_time
from targets.brokerage.operations import audit
from targets.brokerage.world import business_day
from targets.cache import cache_folder
from targets.embedded import EMBEDDED
from targets.finding import writable
from targets.local import LocalTarget
from targets.registry import RUNTIMES, UnknownTarget, runtime
from targets.runtime import Request, Runtime
from targets.target import Startable, TargetError


@pytest.fixture
def request_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Request:
    monkeypatch.setenv("KUNREN_CACHE", str(tmp_path / "cache"))
    return Request("a-drill/a-run", 7, "N2", "18:10", 60, tmp_path / "logs", "embedded")


def test_by_name() -> None:
    for name in RUNTIMES:
        assert runtime(name).name == name
    with pytest.raises(UnknownTarget):
        runtime("staging")
    found: Runtime = EMBEDDED
    assert runtime("local") is found


def test_what_is_known_before_it_is_started(request_: Request, tmp_path: Path) -> None:
    target: Startable = EMBEDDED.make(request_)
    with_same_seed = EMBEDDED.make(request_)
    other = EMBEDDED.make(replace(request_, seed=8))
    try:
        assert not (tmp_path / "cache").exists()
        assert target.capabilities() == EMBEDDED.capabilities()
        assert target.world() == with_same_seed.world() != other.world()
        assert target.password("C-0001") == with_same_seed.password("C-0001") != other.password("C-0001")
        assert target.intent().target == "local"
        assert target.intent() != with_same_seed.intent()
        (calendar,) = [row for row in target.world() if row["kind"] == "calendar"]
        assert calendar["id"] == business_day(7).isoformat()
        assert calendar["compression"] == 60
        assert isinstance(target, LocalTarget)
        clock = target.config.clock
        assert business_time(clock, clock.anchor_ns).isoformat() == f"{business_day(7)}T18:10:00+09:00"
        assert f"export KUNREN_STACK={target.intent().stack}" in "\n".join(target.by_hand())
        assert len(target.lifelines()) == 1
    finally:
        for each in (target, with_same_seed, other):
            each.__exit__(None, None, None)  # what it holds: ports and a pipe
    assert target.lifelines() == ()


@pytest.mark.parametrize("wrong", [{"phase": "N2", "start": "12:00"}, {"phase": "X9", "start": None}])
def test_a_time_that_cannot_be(request_: Request, wrong: dict[str, str | None]) -> None:
    with pytest.raises(TargetError):
        EMBEDDED.make(replace(request_, **wrong))  # type: ignore[arg-type]


def test_no_ports(request_: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(count: int) -> None:
        raise OSError(f"no {count} free ports in a row")

    monkeypatch.setattr("targets.local.claim_block", none_left)
    with pytest.raises(TargetError, match=r"no \d+ free ports in a row"):
        EMBEDDED.make(request_)


def test_a_cache_named_from_here_is_the_same_from_anywhere(
    request_: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUNREN_CACHE", "some/../my-cache")
    assert cache_folder() == tmp_path / "my-cache"
    target = EMBEDDED.make(request_)
    target.__exit__(None, None, None)
    assert Path(target.intent().stack).parent == tmp_path / "my-cache" / "stacks"
    monkeypatch.delenv("KUNREN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "xdg")
    assert cache_folder() == tmp_path / "xdg" / "kunren"


def test_its_alerts_are_those_of_the_rule_file() -> None:
    assert {"LinkSilent", "LockWait"} <= EMBEDDED.capabilities().rules


def nobody(uid: int) -> NoReturn:
    raise KeyError(f"getpwuid(): uid not found: {uid}")


@pytest.mark.parametrize("named", [True, False])
def test_postgresql_starts_for_whoever_has_a_name(monkeypatch: pytest.MonkeyPatch, named: bool) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 4711)
    monkeypatch.setattr("pwd.getpwuid", (lambda uid: object()) if named else nobody)
    assert (postgres.unprivileged() == ()) == named
    assert postgres.argv(Path("/data"), 1)[0] == str(postgres.binaries() / "postgres"), "the server needs no name"
    monkeypatch.setattr(postgres, "complaint", lambda argv: "Operation not permitted")
    said = "PostgreSQL refuses uid 4711, which has no entry in the password database, and nothing hides it: "
    assert postgres.lacking() == () if named else postgres.lacking()[0].startswith(said)
    finding = next(each for each in EMBEDDED.examine() if each.what in ("ordinary user", "user"))
    assert finding.ok == named
    assert (finding.fix == "") == named


def test_a_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor do the variables of a shell say who it is: whoever enters an adjustment may not approve it."""
    monkeypatch.setenv("LOGNAME", "somebody")
    monkeypatch.setattr("pwd.getpwuid", nobody)
    monkeypatch.setattr("os.getuid", lambda: 4711)
    assert audit.who() == "4711"


def test_a_folder_that_nobody_may_look_into_is_not_writable(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> NoReturn:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", forbidden)
    finding = writable("cache folder", Path("/home/another/.cache"), "name another")
    assert (finding.ok, finding.fix) == (False, "name another")
