"""Limited volumes: a real limit that everybody meets, what is seen of them, and a forecast where there can be one."""

from __future__ import annotations

import gzip
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from targets.brokerage.config import Config
from targets.brokerage.topology import TOPOLOGY
from targets.brokerage.volumes import files, keeping
from targets.brokerage.volumes.forecast import Forecast
from targets.brokerage.volumes.gauges import VolumeGauges
from targets.brokerage.volumes.usage import deleted, is_limited, usage, written
from targets.embedded import EMBEDDED
from targets.stack import NO_LIMIT, Stack, capabilities

from .front import until
from .stack import make_config

NAME = "relay-log"

real = pytest.mark.skipif(not keeping.way(), reason=f"no limited volume here: {'; '.join(keeping.complaints())}")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    keeping.prepare(tmp_path)
    return make_config(tmp_path, {}, {})


@pytest.fixture
def volume(config: Config) -> Iterator[Path]:
    """Held, and reached from outside."""
    folder = Path(config.folder)
    with subprocess.Popen(keeping.command(config)) as holder:
        try:
            until(lambda: keeping.kept(folder))
            yield keeping.reached(folder, NAME)
        finally:
            holder.kill()


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine that lets nobody mount anything."""
    capabilities.cache_clear()
    monkeypatch.setattr(keeping, "way", lambda: ())
    monkeypatch.setattr(keeping, "_ways", lambda: (("false",),))
    yield
    capabilities.cache_clear()


def fill_bytes(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 20))


def fill_inodes(folder: Path, count: int) -> None:
    for number in range(count):
        (folder / f"{number}").touch()


@real
def test_bytes_and_inodes_end_where_they_are_declared_to(volume: Path) -> None:
    before = usage(volume)
    assert (before.size, before.inodes) == (3840 * 1024, 200)
    with pytest.raises(OSError, match="No space left"):
        fill_bytes(volume / "large")
    assert (volume / "large").stat().st_size == before.size
    (volume / "large").unlink()
    with pytest.raises(OSError, match="No space left"):
        fill_inodes(volume, before.inodes)
    assert usage(volume).inodes_free == 0
    assert usage(volume).bytes_used < 0.01


@real
def test_it_is_a_volume_of_its_own_and_the_folder_outside_is_not(volume: Path, config: Config) -> None:
    (volume / "x").write_text("inside")
    outside = Path(config.folder) / NAME
    assert list(outside.iterdir()) == []
    assert is_limited(volume)
    assert not is_limited(outside)


@real
def test_who_joins_finds_it_in_its_usual_place(volume: Path, config: Config) -> None:
    folder = Path(config.folder)
    child = os.fork()
    if child == 0:
        try:
            keeping.join(folder)
            (folder / NAME / "mine").write_text("hello")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert (volume / "mine").read_text() == "hello"
    assert list((folder / NAME).iterdir()) == []


@real
def test_nothing_of_it_is_left_when_its_holder_is_killed(config: Config) -> None:
    folder = Path(config.folder)
    with subprocess.Popen(keeping.command(config)) as holder:
        until(lambda: keeping.kept(folder))
        assert int((folder / keeping.HOLDER).read_text()) == holder.pid
        holder.kill()
    assert str(folder) not in Path("/proc/self/mounts").read_text()


def test_where_nothing_can_be_limited_the_folder_is_ordinary_and_that_is_said(elsewhere: None, config: Config) -> None:
    folder = Path(config.folder)
    assert keeping.command(config) == ["sleep", "infinity"]
    assert keeping.kept(folder)
    assert keeping.reached(folder, NAME) == folder / NAME
    keeping.join(folder)  # there is nothing to join
    assert keeping.described() is None
    assert NO_LIMIT == "ordinary folder, no limit"
    offered = Stack(config).capabilities()
    assert (offered.volumes, offered.limited) == (set(TOPOLOGY.limited), frozenset())


def test_doctor_says_whether_volumes_are_limited_and_what_to_do(elsewhere: None) -> None:
    (found,) = [each for each in EMBEDDED.examine() if each.what == "limited volume"]
    assert not found.ok
    assert not found.needed
    assert found.says.startswith(f"{', '.join(TOPOLOGY.limited)} will be ordinary folders: ")
    assert "--target compose, root, or user namespaces" in found.fix


def test_of_an_ordinary_folder_no_figures_are_shown(config: Config) -> None:
    registry = CollectorRegistry()
    gauges = VolumeGauges(registry, Path(config.folder) / NAME)
    gauges.look()
    assert list(registry.collect()) == []
    nothing = {"deleted": [], "seconds_to_full": None, "seconds_to_no_inode": None, "per_s": None}
    assert gauges.facts() == {NAME: nothing}


@real
def test_when_inodes_are_used_up_is_forecast_as_well(volume: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    registry = CollectorRegistry()
    gauges = VolumeGauges(registry, volume)
    for turn in range(13):
        (volume / f"{turn}").touch()
        gauges.look()
        now += 0.25
    left = usage(volume).inodes_free / 4
    assert gauges.facts()[NAME]["seconds_to_no_inode"] == pytest.approx(left)
    assert gauges.facts()[NAME]["seconds_to_full"] is None
    assert registry.get_sample_value("volume_seconds_to_no_inode", {"volume": NAME}) == pytest.approx(left)


def test_what_is_deleted_and_held_open_is_seen(tmp_path: Path) -> None:
    with (tmp_path / "kept").open("wb") as kept, (tmp_path / "gone").open("wb", buffering=0) as gone:
        kept.write(b"x")
        gone.write(bytes(100_000))
        assert deleted(tmp_path) == []
        (tmp_path / "gone").unlink()
        (found,) = deleted(tmp_path)
        assert found.name == "gone"
        assert found.bytes >= 100_000
    assert deleted(tmp_path) == []
    assert written(tmp_path) == 1


@pytest.mark.parametrize(
    ("used", "left"),
    [
        ([100 * n for n in range(17)], 25.0),  # 400 bytes a second, 10,000 free
        ([0.0] * 17, None),
        ([100.0 * n for n in range(8, 0, -1)] * 2, None),  # it empties
        ([0] * 8 + [1_000_000] * 9, None),  # one large copy
        ([100 * n for n in range(6)], None),  # too short to tell
        ([0] * 4 + [100 * n for n in range(17)], 25.0),  # steady again
    ],
)
def test_a_forecast_is_made_while_it_fills_steadily(used: list[float], left: float | None) -> None:
    forecast = Forecast()
    for turn, each in enumerate(used):
        forecast.note(turn * 0.25, each)
    if left is not None:
        assert forecast.last_per_s() == pytest.approx(10_000 / left)
    assert forecast.seconds_to_full(10_000) == (None if left is None else pytest.approx(left))


# -- what operators do to files ---------------------------------------------------------------------------------------


def test_copies_and_what_was_unpacked_lie_beside_and_are_known_as_such(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"a" * 5_000)
    (tmp_path / "b.log.gz").write_bytes(gzip.compress(b"b" * 5_000))
    assert files.copy(tmp_path / "a.log").read_bytes() == b"a" * 5_000
    assert files.unpack(tmp_path / "b.log.gz").read_bytes() == b"b" * 5_000
    assert [each.name for each in files.copies(tmp_path)] == ["copy-a.log", "copy-b.log"]


def test_packing_puts_a_smaller_file_in_the_place(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"a" * 5_000)
    made = files.pack(tmp_path / "a.log")
    assert [each.name for each in tmp_path.iterdir()] == ["a.log.gz"]
    assert gzip.decompress(made.read_bytes()) == b"a" * 5_000


@real
def test_on_a_full_volume_nothing_can_be_packed_and_nothing_is_lost(volume: Path) -> None:
    (volume / "a.log").write_bytes(os.urandom(1 << 20))
    with (volume / "rest").open("wb", buffering=0) as rest:
        while rest.write(bytes(4096)) == 4096 and usage(volume).free:
            pass
    with pytest.raises(OSError, match="No space left"):
        files.pack(volume / "a.log")
    assert sorted(each.name for each in volume.iterdir()) == ["a.log", "rest"]
    assert (volume / "a.log").stat().st_size == 1 << 20


def test_what_is_moved_off_is_kept_with_its_checksum(tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    (tmp_path / "a.log").write_bytes(b"a")
    sums = files.move_off([tmp_path / "a.log"], evidence)
    assert (evidence / "a.log").read_bytes() == b"a"
    assert not (tmp_path / "a.log").exists()
    assert (evidence / files.SUMS).read_text() == f"{sums['a.log']}  a.log\n"
    done = subprocess.run(["sha256sum", "--check", files.SUMS], cwd=evidence, capture_output=True, check=False)
    assert done.returncode == 0


def test_evidence_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "a.log").write_bytes(b"first")
    (tmp_path / "a.log").write_bytes(b"second")
    with pytest.raises(FileExistsError):
        files.move_off([tmp_path / "a.log"], tmp_path / "evidence")
    assert (tmp_path / "a.log").read_bytes() == b"second"
    assert (tmp_path / "evidence" / "a.log").read_bytes() == b"first"


def test_files_are_named_by_patterns_and_an_unknown_one_says_which_there_are(tmp_path: Path) -> None:
    for name in ("a.log", "b.log", "c.txt"):
        (tmp_path / name).touch()
    assert [each.name for each in files.chosen(tmp_path, ["*.log", "a.log"])] == ["a.log", "b.log"]
    with pytest.raises(files.NoSuchFile, match=r"^no file \.\./x; there are: a.log, b.log, c.txt$"):
        files.chosen(tmp_path, ["../x"])
