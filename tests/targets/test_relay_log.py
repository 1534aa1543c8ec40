"""The transaction log by itself: whole lines or none, numbers without gaps, and no end that is lost unnoticed."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from targets.brokerage.relay import lines, wiretrace
from targets.brokerage.relay.lines import CURRENT, Line
from targets.brokerage.relay.log import HighWater, TransactionLog, cut_torn_tail, high_water


@pytest.fixture
def off(tmp_path: Path) -> Path:
    """Off the volume."""
    return tmp_path / "elsewhere"


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    folder = tmp_path / "volume"
    folder.mkdir()
    return folder


def opened(volume: Path, off: Path) -> TransactionLog:
    return TransactionLog(volume, HighWater(off))


def add(log: TransactionLog, key: str = "k") -> Line:
    return log.add("C-0001", key, "POST /orders", 70, "00")


def numbers(volume: Path) -> list[int]:
    return [line.seq for line in lines.whole((volume / CURRENT).read_bytes())]


class Full:
    """``os.write`` onto a volume with so many bytes left: at first a part is taken, then nothing is."""

    def __init__(self, left: int, real: Callable[[int, bytes], int] = os.write) -> None:
        self.left, self.real = left, real

    def __call__(self, file: int, piece: bytes) -> int:
        if not self.left:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = self.real(file, piece[: self.left])
        self.left -= taken
        return taken


def test_lines_are_numbered_from_one_and_say_what_was_asked(volume: Path, off: Path) -> None:
    log = opened(volume, off)
    assert [add(log, key).seq for key in "abc"] == [1, 2, 3]
    found = list(lines.whole((volume / CURRENT).read_bytes()))
    assert [(line.seq, line.account, line.key, line.what) for line in found] == [
        (seq, "C-0001", key, "POST /orders") for seq, key in enumerate("abc", 1)
    ]
    assert high_water(off) == 3


@pytest.mark.parametrize("left", [1, 40, 100])
def test_a_short_write_leaves_nothing_and_gives_no_number(
    volume: Path, off: Path, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    log = opened(volume, off)
    add(log)
    before = (volume / CURRENT).read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", Full(left))
        for _ in range(2):
            with pytest.raises(OSError, match="No space left on device"):
                add(log, "refused")
    assert (volume / CURRENT).read_bytes() == before
    assert add(log).seq == 2
    assert numbers(volume) == [1, 2]


def test_what_could_not_be_cut_off_at_once_is_cut_off_before_the_next_line(
    volume: Path, off: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = opened(volume, off)
    add(log)

    def refuses(file: int, size: int) -> None:
        raise OSError(errno.EIO, "no")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", Full(30))
        patched.setattr(os, "ftruncate", refuses)
        with pytest.raises(OSError, match="no"):
            add(log, "half")
    assert not (volume / CURRENT).read_bytes().endswith(b"\n")
    add(log)
    assert numbers(volume) == [1, 2]
    assert b"half" not in (volume / CURRENT).read_bytes()


@pytest.mark.parametrize("torn", [b"x", b'{"seq":3,"t_ns":1', b"y" * 200_000])
def test_what_a_killed_writer_left_unfinished_is_cut_off_at_start(volume: Path, off: Path, torn: bytes) -> None:
    log = opened(volume, off)
    add(log), add(log)
    log.close()
    with (volume / CURRENT).open("ab") as file:
        file.write(torn)
    again = opened(volume, off)
    assert again.cut == len(torn)
    assert add(again).seq == 3
    assert numbers(volume) == [1, 2, 3]


def test_a_file_without_a_single_whole_line_is_emptied(volume: Path) -> None:
    (volume / CURRENT).write_bytes(b"z" * 70_000)
    assert cut_torn_tail(volume / CURRENT) == 70_000
    assert (volume / CURRENT).read_bytes() == b""


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: os.truncate(path, 0)])
def test_numbers_go_on_after_the_mark_where_the_log_has_lost_its_end(
    volume: Path, off: Path, damage: Callable[[Path], None]
) -> None:
    log = opened(volume, off)
    add(log), add(log)
    log.close()
    damage(volume / CURRENT)
    assert add(opened(volume, off)).seq == 3  # 1 and 2 are a gap that is seen


def test_a_line_that_the_mark_does_not_know_yet_counts(volume: Path, off: Path) -> None:
    log = opened(volume, off)
    add(log)
    log.close()
    with (volume / CURRENT).open("ab") as file:  # killed between the line and the mark
        file.write(lines.written(Line(2, 5, "", "", "x")))
    assert add(opened(volume, off)).seq == 3


def test_a_request_whose_mark_cannot_be_raised_is_refused(
    volume: Path, off: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = opened(volume, off)

    def refuses(file: int, data: bytes, offset: int) -> int:
        raise OSError(errno.EIO, "no")

    monkeypatch.setattr(os, "pwrite", refuses)
    with pytest.raises(OSError, match="no"):
        add(log)


def test_after_another_name_it_goes_on_in_a_new_file(volume: Path, off: Path) -> None:
    log = opened(volume, off)
    add(log)
    (volume / CURRENT).rename(volume / "aside.log")
    add(log)  # still the one of before, whatever it is called
    log.reopen()
    add(log)
    assert numbers(volume) == [3]
    assert [line.seq for line in lines.whole((volume / "aside.log").read_bytes())] == [1, 2]


def test_where_no_new_file_can_be_opened_it_goes_on_in_the_old_one(volume: Path, off: Path) -> None:
    log = opened(volume, off)
    add(log)
    (volume / CURRENT).rename(volume / "aside.log")
    (volume / CURRENT).mkdir()  # in the way, whoever asks
    with pytest.raises(OSError, match="directory"):
        log.reopen()
    add(log)
    assert [line.seq for line in lines.whole((volume / "aside.log").read_bytes())] == [1, 2]


def test_it_puts_itself_aside_under_the_number_of_its_last_line(volume: Path, off: Path) -> None:
    log = opened(volume, off)
    add(log), add(log)
    assert log.put_aside()
    add(log)
    assert numbers(volume) == [3]
    assert [each.name for each in lines.logs(volume)] == ["transactions-00000002.log", CURRENT]


def test_where_it_cannot_be_put_aside_nothing_has_changed(
    volume: Path, off: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = opened(volume, off)
    add(log)

    def refuses(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refuses)
        with pytest.raises(OSError, match="No space left"):
            log.put_aside()
    add(log)
    assert numbers(volume) == [1, 2]
    (volume / CURRENT).rename(volume / "by-hand.log")
    assert not log.put_aside()


def test_a_line_with_a_changed_letter_is_not_whole() -> None:
    rng = random.Random(3)
    raw = lines.written(Line(7, 1, "C-0001", "k", "POST /orders", 70, "aa"))[:-1]
    assert lines.read(raw) == Line(7, 1, "C-0001", "k", "POST /orders", 70, "aa")
    for _ in range(200):
        place = rng.randrange(len(raw))
        other = bytes([raw[place] ^ (1 << rng.randrange(8))])
        assert lines.read(raw[:place] + other + raw[place + 1 :]) is None
    assert lines.read(raw[:-3]) is None
    assert lines.read(b"") is None


def test_a_trace_tells_when_each_request_came_and_how_much_it_took_and_an_empty_one_nothing() -> None:
    content = b"#7 123 GET /quotes -> 200\n> 0000  aa\n#8 456 POST /orders -> 200\n< 0000  bb\n"
    assert list(wiretrace.entries(content)) == [(123, 37), (456, 38)]
    assert list(wiretrace.entries(b"")) == []
