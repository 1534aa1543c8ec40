"""Who owns a stack's folder: nobody ever sees a new one without an owner, nor one whose owner is still removing it."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from targets import ownership


def test_a_lock_that_does_not_hold_is_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some file systems take every lock from everybody."""
    monkeypatch.setattr("targets.ownership.fcntl.flock", lambda *_: None)
    with pytest.raises(OSError, match=r"file locks do not hold in .*: set KUNREN_CACHE"):
        ownership.claim(tmp_path / "stacks" / "a")
    assert not (tmp_path / "stacks" / "a").exists()


def test_who_has_lost_its_lock_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "stacks" / "a"
    with ownership.claim(folder) as owner:
        assert not ownership.lost(folder, owner)
        (folder / ownership.OWNER_LOCK).unlink()
        assert ownership.lost(folder, owner)
        (folder / ownership.OWNER_LOCK).touch()
        assert ownership.lost(folder, owner)
    assert ownership.lost(folder, owner)


def test_owned_while_the_file_is_open(tmp_path: Path) -> None:
    root = tmp_path / "stacks"
    owner = ownership.claim(root / "a")
    assert ownership.owned(root / "a")
    assert ownership.abandoned(root) == []
    owner.close()
    assert not ownership.owned(root / "a")
    assert ownership.abandoned(root) == [root / "a"]


def test_what_is_not_there_is_neither_owned_nor_abandoned(tmp_path: Path) -> None:
    assert not ownership.owned(tmp_path / "stacks" / "a")
    assert ownership.abandoned(tmp_path / "stacks") == []
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_lock_belongs_to_a_dead_one(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a-file").touch()
    assert ownership.abandoned(tmp_path) == [tmp_path / "a"]


def test_a_folder_is_not_taken_twice(tmp_path: Path) -> None:
    with ownership.claim(tmp_path / "a"), pytest.raises(FileExistsError):
        ownership.claim(tmp_path / "a")


def test_nobody_sees_a_new_folder_before_it_is_owned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody heals just when the folder has been made and its lock has not been taken."""
    made, go_on = threading.Event(), threading.Event()
    seen: list[Any] = []
    real = Path.mkdir

    def slow(path: Path, *args: Any, **kwargs: Any) -> None:
        real(path, *args, **kwargs)
        if path.name == "a":
            made.set()
            assert go_on.wait(30)

    monkeypatch.setattr(Path, "mkdir", slow)
    maker = threading.Thread(target=lambda: seen.append(ownership.claim(tmp_path / "a")))
    healer = threading.Thread(target=lambda: seen.append(ownership.abandoned(tmp_path)))
    maker.start()
    assert made.wait(30)
    healer.start()
    healer.join(0.5)  # time for one that does not wait to take the folder for a dead one's
    go_on.set()
    maker.join(30)
    healer.join(30)
    assert [] in seen
    owner = next(each for each in seen if each != [])
    assert ownership.owned(tmp_path / "a")
    owner.close()


def test_who_removes_it_owns_it_to_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "a"
    with ownership.claim(folder):
        (folder / "pgdata").mkdir()
        (folder / "config.json").touch()
        seen = []
        real = shutil.rmtree

        def watched(path: Path, ignore_errors: bool) -> None:
            real(path, ignore_errors=ignore_errors)
            if path != folder:
                seen.append(ownership.abandoned(tmp_path))

        monkeypatch.setattr("targets.ownership.shutil.rmtree", watched)
        ownership.remove(folder)
    assert seen == [[]]
    assert not folder.exists()
    ownership.remove(folder)  # a second time is no error
