from __future__ import annotations

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from drills.domains.orders.rows import ExchangeExecution, ExchangeOrder
from drills.domains.registry import DOMAINS
from drills.record.folder import (
    RunFolder,
    StoreError,
    Unusable,
    card_bytes,
    find_run,
    list_runs,
    read,
    verify_evidence,
    write_card,
)
from drills.record.history import Kind

from .runfolder import BOOKS, STARTED, load_file, open_run, plan, record, whole_run
from .words import damage_of


class Card(msgspec.Struct):
    schema: str
    evidence: str
    title: dict[str, str]


# -- writing --------------------------------------------------------------------------------------------------------


def test_folder_is_named_for_instant_arm_and_seed(tmp_path: Path) -> None:
    folder = open_run(tmp_path, "wrong:reopen-early")
    assert folder.name == "exchange-link-down/20261122T100600.250Z-wrong.reopen-early-7"
    assert sorted(path.name for path in folder.path.iterdir()) == [
        "books",
        "events.jsonl",
        "logs",
        "rollback.jsonl",
        "samples",
    ]


def test_two_runs_in_one_millisecond_get_two_folders(tmp_path: Path) -> None:
    assert [open_run(tmp_path).name[-30:] for _ in range(2)] == [
        "20261122T100600.250Z-runbook-7",
        "20261122T100600.251Z-runbook-7",
    ]


def test_many_runs_that_begin_at_once_get_a_folder_each(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        names = {folder.name for folder in pool.map(lambda _: open_run(tmp_path), range(64))}
    assert len(names) == 64


def test_a_file_in_the_place_of_runs_is_refused_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(
        Unusable, match=r"cannot make a run folder in .*a file stands where a folder is needed"
    ) as refused:
        open_run(tmp_path)
    assert refused.value.exit_code == 3


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (13, "permission denied .give a folder you may write to with --runs DIR"),
        (28, "no space left on device .the disk is full"),
    ],
)
def test_what_the_system_refuses_comes_with_the_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    # root may write anywhere, so the system's refusal is played back
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("drills.record.folder.os.mkdir", refuse)
    with pytest.raises(Unusable, match=words):
        open_run(tmp_path)


def test_event_indexes_are_dense_whoever_appends(tmp_path: Path) -> None:
    folder = open_run(tmp_path)

    def many(actor: str) -> None:
        for n in range(50):
            folder.events.append(actor, Kind.INFO, "tick", {"n": n})

    threads = [threading.Thread(target=many, args=(f"t{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    lines = [json.loads(line) for line in (folder.path / "events.jsonl").read_text().splitlines()]
    assert [line["index"] for line in lines] == list(range(200))


def test_half_a_line_is_taken_back_when_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = open_run(tmp_path)
    folder.events.append("runner", Kind.INFO, "started", t=1)
    whole = os.write
    monkeypatch.setattr("drills.record.journal.os.write", lambda file, data: whole(file, data[:10]))
    with pytest.raises(StoreError, match=r"events\.jsonl: the disk took 10 of"):
        folder.events.append("runner", Kind.INFO, "lost", t=2)
    monkeypatch.undo()
    folder.events.append("runner", Kind.INFO, "next", t=3)
    lines = (folder.path / "events.jsonl").read_text().splitlines()
    assert [(json.loads(line)["index"], json.loads(line)["what"]) for line in lines] == [(0, "started"), (1, "next")]


def test_undo_is_on_disk_before_append_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = open_run(tmp_path)
    seen: list[str] = []
    monkeypatch.setattr(
        "drills.record.journal.os.fsync", lambda _: seen.append((folder.path / "rollback.jsonl").read_text())
    )
    folder.rollback.append({"what": "intent", "index": 0})
    assert seen == ['{"what":"intent","index":0}\n']


def test_after_a_line_that_was_not_forced_to_disk_none_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system tells of such a loss once; the next call succeeds."""
    folder = open_run(tmp_path)
    losses = [OSError(5, "Input/output error")]

    def fsync(_: int) -> None:
        if losses:
            raise losses.pop()

    monkeypatch.setattr("drills.record.journal.os.fsync", fsync)
    for _ in range(2):
        with pytest.raises(StoreError, match=r"cannot force .*rollback\.jsonl to disk"):
            folder.rollback.append({"what": "intent", "index": 0})


def test_books_are_validated_and_sorted_by_time(tmp_path: Path) -> None:
    folder = open_run(tmp_path)
    assert folder.write_book("exchange", BOOKS["exchange"]) == 2
    lines = (folder.path / "books" / "exchange.jsonl").read_text().splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["exchange-order", "exchange-execution", "end"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"quantity": "100"}, r"book exchange, row 2: Expected 'int', got 'str' at 'quantity'"),
        ({"venue": "TSE"}, r"book exchange, row 2: Object contains unknown field 'venue'"),
        ({"kind": "trade"}, r"book exchange, row 2: Invalid value 'trade' at 'kind'"),
        ({"side": "hold"}, r"book exchange, row 2: Invalid enum value 'hold' at 'side'"),
        ({"t_ns": None}, r"book exchange, row 2: Expected 'int', got 'null' at 't_ns'"),
    ],
)
def test_a_bad_row_names_book_row_and_field_and_nothing_is_written(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    folder = open_run(tmp_path)
    with pytest.raises(StoreError, match=words):
        folder.write_book("exchange", [BOOKS["exchange"][1], {**BOOKS["exchange"][0], **change}])
    assert not list((folder.path / "books").iterdir())


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="book world, row 1: Object missing required field 'cash'"):
        open_run(tmp_path).write_book("world", [{"kind": "account", "t_ns": 0, "id": "C-0001"}])


def test_unknown_book_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="unknown book 'exchang', did you mean 'exchange'"):
        open_run(tmp_path).write_book("exchang", [])


def test_what_was_written_is_not_written_again(tmp_path: Path) -> None:
    folder = open_run(tmp_path)
    folder.write_book("exchange", [])
    with pytest.raises(StoreError, match=r"books/exchange\.jsonl was written before"):
        folder.write_book("exchange", BOOKS["exchange"])


def test_a_torn_last_record_is_counted(tmp_path: Path) -> None:
    folder = open_run(tmp_path)
    stored = folder.write_samples(load_file(tmp_path / "samples.bin", torn=b"\x01" * 39), ("orders", "inquiry"))
    assert (stored.records, stored.torn) == (6, 1)
    folder.write_run(record(folder))
    assert "samples: the load's last record was cut off while it was written" in damage_of(
        read(folder.path, DOMAINS.books)
    )


def test_no_record_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot read the load's samples .*samples\.bin: no such file"):
        open_run(tmp_path).write_samples(tmp_path / "samples.bin", ("orders",))


def test_nothing_but_the_card_after_the_seal(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "d", "runbook", 1, STARTED, DOMAINS.books)
    folder.write_run(record(folder))
    head = folder.seal()
    for write in (
        lambda: folder.write_run(record(folder)),
        lambda: folder.write_book("oms", []),
        lambda: folder.copy_inputs(b"", None),
        lambda: folder.write_samples(load_file(tmp_path / "samples.bin"), ("orders",)),
        lambda: folder.events.append("runner", Kind.INFO, "late"),
        lambda: folder.rollback.append({}),
        folder.seal,
    ):
        with pytest.raises(StoreError, match=r"is sealed|is closed"):
            write()
    write_card(folder.path, Card("kunren.scorecard/2", head, {}))
    assert verify_evidence(folder.path) == []


def test_a_run_that_was_never_sealed_can_still_be_judged(tmp_path: Path) -> None:
    folder = open_run(tmp_path).path
    content = write_card(folder, Card("kunren.scorecard/2", "", {}))
    assert (folder / "scorecard.json").read_bytes() == content
    assert not (folder / "SHA256SUMS").exists()


def test_the_same_card_is_not_written_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = whole_run(tmp_path)
    write_card(folder, Card("kunren.scorecard/2", "", {}))

    def refuse(*_: object) -> None:
        raise AssertionError("a read-only archive would refuse this")

    monkeypatch.setattr("drills.record.folder.replace", refuse)
    monkeypatch.setattr("drills.record.evidence.replace", refuse)
    write_card(folder, Card("kunren.scorecard/2", "", {}))


def test_card_bytes_are_readable_and_stable() -> None:
    card = Card("kunren.scorecard/2", "3f", {"en": "link", "ja": "回線"})
    title = '{\n    "en": "link",\n    "ja": "回線"\n  }'
    text = f'{{\n  "schema": "kunren.scorecard/2",\n  "evidence": "3f",\n  "title": {title}\n}}\n'
    assert card_bytes(card) == text.encode()


# -- reading back ---------------------------------------------------------------------------------------------------


def test_round_trip(tmp_path: Path) -> None:
    history = read(whole_run(tmp_path), DOMAINS.books)
    assert damage_of(history) == []
    assert history.plan == plan()
    assert [(event.index, event.actor, event.what) for event in history.events] == [
        (0, "runner", "started"),
        (1, "fault:0", "inject"),
        (2, "fault:0", "inject"),
        (3, "runner", "finished"),
    ]
    assert history.events[1].data == {"link": "exchange-a"}
    assert [type(row) for row in history.books["exchange"]] == [ExchangeOrder, ExchangeExecution]
    assert set(history.books) == set(BOOKS)
    assert history.samples.names == ("orders", "inquiry")
    assert history.samples.key.tolist() == [0, 1, 2, 3, 4, 5]
    assert history.samples.outcome.tolist() == [0, 1, 2, 0, 1, 2]
    assert history.samples.done.dtype == np.int64


def test_all_that_is_missing_is_said(tmp_path: Path) -> None:
    folder = open_run(tmp_path)
    folder.write_run(record(folder, end=None))
    assert damage_of(read(folder.path, DOMAINS.books)) == [
        "drill.yaml is missing",
        "runbook.yaml is missing",
        "samples are missing: no load was stored",
        "books/world.jsonl is missing",
        "books/customers.jsonl is missing",
        "books/exchange.jsonl is missing",
        "books/oms.jsonl is missing",
        "books/notices.jsonl is missing",
    ]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def garble(path: Path) -> None:
    path.write_bytes(b"\xff\xfe{" + path.read_bytes()[3:])


def remove(path: Path) -> None:
    path.unlink()


def drop_first_line(path: Path) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))


def swap_lines(path: Path) -> None:
    *rows, end = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join((*reversed(rows), end)))


def shorten_column(path: Path) -> None:
    np.save(path, np.load(path)[:3])


def wrong_type(path: Path) -> None:
    np.save(path, np.load(path).astype(np.float64))


def wrong_code(path: Path) -> None:
    values = np.load(path)
    values[2] = 77
    np.save(path, values)


def reverse_column(path: Path) -> None:
    np.save(path, np.load(path)[::-1])


def huge_header(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"(6,), }            ", b"(6000000000000,), }"))


def other_magic(path: Path) -> None:
    path.write_bytes(b"\x92" + path.read_bytes()[1:])


def null_in_header(path: Path) -> None:
    """On which NumPy's words differ between versions of Python."""
    path.write_bytes(path.read_bytes().replace(b"}  ", b"}\0 ", 1))


def slip_in_a_byte(path: Path) -> None:
    """All values after it are others, and NumPy would not say a word."""
    whole = path.read_bytes()
    path.write_bytes(whole[:136] + b"\0" + whole[136:])


def two_dimensions(path: Path) -> None:
    np.save(path, np.load(path).reshape(2, 3))


def nest(path: Path) -> None:
    deep = b"[" * 20_000 + b"]" * 20_000
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][:-2] + b',"data":{"a":' + deep + b"}}\n")


DAMAGE = [
    ("drill.yaml", remove, "drill.yaml is missing"),
    ("drill.yaml", cut, "drill.yaml is not the text that ran: its SHA-256 is not the one in run.json"),
    ("runbook.yaml", garble, "runbook.yaml is not the text that ran: its SHA-256 is not the one in run.json"),
    ("events.jsonl", remove, "events.jsonl is missing"),
    ("events.jsonl", cut, "events.jsonl line 4 is cut off"),
    ("events.jsonl", garble, "events.jsonl line 1 cannot be read: JSON is malformed: invalid character (byte 0)"),
    ("events.jsonl", drop_first_line, "events.jsonl line 1 has index 1 where 0 is due"),
    ("rollback.jsonl", remove, "rollback.jsonl is missing"),
    ("rollback.jsonl", cut, "rollback.jsonl line 2 is cut off"),
    ("rollback.jsonl", garble, "rollback.jsonl line 1 cannot be read: JSON is malformed: invalid character (byte 0)"),
    ("books/exchange.jsonl", remove, "books/exchange.jsonl is missing"),
    ("books/exchange.jsonl", cut, "books/exchange.jsonl line 3 is cut off"),
    ("books/oms.jsonl", garble, "books/oms.jsonl line 1 cannot be read: JSON is malformed: invalid character (byte 0)"),
    (
        "books/exchange.jsonl",
        swap_lines,
        "books/exchange.jsonl is not in order of time: its rows were moved or changed",
    ),
    ("samples/done.npy", remove, "samples/done.npy is missing"),
    ("samples/done.npy", cut, "samples/done.npy cannot be read: cut off, 171 bytes where 176 are due"),
    ("samples/done.npy", garble, "samples/done.npy cannot be read: its header is garbled"),
    ("samples/done.npy", other_magic, "samples/done.npy cannot be read: its header is garbled"),
    ("samples/done.npy", null_in_header, "samples/done.npy cannot be read: its header is garbled"),
    ("samples/done.npy", slip_in_a_byte, "samples/done.npy cannot be read: too long, 177 bytes where 176 are due"),
    (
        "samples/done.npy",
        huge_header,
        "samples/done.npy cannot be read: cut off, 176 bytes where 48000000000128 are due",
    ),
    (
        "samples/done.npy",
        two_dimensions,
        "samples/done.npy holds int64 in 2 dimensions where int64 in one is due",
    ),
    ("events.jsonl", nest, "events.jsonl line 4 cannot be read: nested too deeply"),
    ("rollback.jsonl", nest, "rollback.jsonl line 2 cannot be read: nested too deeply"),
    ("samples/done.npy", wrong_type, "samples/done.npy holds float64 in 1 dimensions where int64 in one is due"),
    ("samples/outcome.npy", cut, "samples/outcome.npy cannot be read: cut off, 129 bytes where 134 are due"),
    ("samples/done.npy", shorten_column, "samples have columns of different length: intended 6, sent 6, done 3"),
    ("samples/name.npy", wrong_code, "samples: 1 of 6 records carry a code that names.json does not know"),
    ("samples/outcome.npy", wrong_code, "samples: 1 of 6 records carry a code that names.json does not know"),
    (
        "samples/intended.npy",
        reverse_column,
        "samples/intended.npy is not in order of time: its rows were moved or changed",
    ),
    ("samples/names.json", remove, "samples/names.json is missing"),
    ("samples/names.json", cut, "samples/names.json cannot be read: Input data was truncated"),
    ("samples/names.json", garble, "samples/names.json cannot be read: JSON is malformed"),
]


def drop_last_row(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join((*lines[:-2], lines[-1])))


def repeat_first_row(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join((lines[0], *lines)))


def drop_end(path: Path) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def end_twice(path: Path) -> None:
    path.write_bytes(path.read_bytes() + path.read_bytes().splitlines(keepends=True)[-1])


INCOMPLETE = [
    (drop_first_line, "lacks 1 of its 2 rows, the first is number 1"),  # in the order of time it is the later row
    (drop_last_row, "lacks 1 of its 2 rows, the first is number 0"),
    (repeat_first_row, "has 1 numbers of rows twice or beyond its count, the first is 1"),
    (drop_end, "does not end with the count of its rows"),
    (end_twice, "line 4 comes after the count that ends it"),
]


@pytest.mark.parametrize(("harm", "words"), INCOMPLETE, ids=[harm.__name__ for harm, _ in INCOMPLETE])
def test_a_row_that_is_missing_from_a_book_shows(tmp_path: Path, harm: Any, words: str) -> None:
    folder = whole_run(tmp_path)
    harm(folder / "books" / "exchange.jsonl")
    assert damage_of(read(folder, DOMAINS.books)) == [f"books/exchange.jsonl {words}"]


def test_a_book_keeps_the_numbers_and_the_count_of_who_kept_it(tmp_path: Path) -> None:
    def keep(folder: RunFolder) -> None:
        rows = [{"kind": "bank-payment", "t_ns": n, "id": str(n), "yen": 1, "state": "booked", "n": n} for n in (0, 2)]
        folder.write_book("bank", rows, written=4)

    folder = whole_run(tmp_path, before_seal=keep)
    assert damage_of(read(folder, DOMAINS.books)) == ["books/bank.jsonl lacks 2 of its 4 rows, the first is number 1"]


@pytest.mark.parametrize(("name", "harm", "words"), DAMAGE, ids=[f"{d[0]}-{d[1].__name__}" for d in DAMAGE])
def test_damage_is_read_as_far_as_it_goes_and_said(tmp_path: Path, name: str, harm: Any, words: str) -> None:
    folder = whole_run(tmp_path)
    harm(folder / name)
    damage = damage_of(read(folder, DOMAINS.books))
    assert len(damage) == 1
    assert damage[0].startswith(words)


def test_a_book_that_nobody_knows_is_said(tmp_path: Path) -> None:
    folder = whole_run(tmp_path)
    (folder / "books" / "tax.jsonl").write_text("")
    assert damage_of(read(folder, DOMAINS.books)) == ["books/tax.jsonl is no book that this version knows"]


def test_a_thousand_bad_lines_are_counted_not_listed(tmp_path: Path) -> None:
    folder = whole_run(tmp_path)
    (folder / "events.jsonl").write_text("x\n" * 1000)
    assert len(damage_of(read(folder, DOMAINS.books))) == 6
    assert damage_of(read(folder, DOMAINS.books))[-1] == "events.jsonl: and 995 more"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (remove, r"run\.json is missing \(this is no run folder"),
        (cut, r"run\.json cannot be read: Input data was truncated"),
        (garble, r"run\.json cannot be read: JSON is malformed"),
        (lambda path: path.write_text("{}"), r"run\.json has schema '\(none\)', this version reads 'kunren.run/2'"),
        (
            lambda path: path.write_text('{"schema": "kunren.run/3", "kunren": "9.1"}'),
            r"has schema 'kunren.run/3', this version reads 'kunren.run/2' \(use the version that wrote it: kunren 9.1",
        ),
        (
            lambda path: path.write_text('{"schema": "kunren.run/2", "run": "a/b"}'),
            r"run\.json cannot be read: Object missing required field 'plan'",
        ),
        (
            lambda path: path.write_text(path.read_text().replace('"seed": 7', '"seed": "7"')),
            r"run\.json cannot be read: Expected 'int', got 'str' at 'plan.seed'",
        ),
    ],
)
def test_only_an_unreadable_run_record_stops_the_reading(tmp_path: Path, spoil: Any, words: str) -> None:
    folder = whole_run(tmp_path)
    spoil(folder / "run.json")
    with pytest.raises(Unusable, match=words):
        read(folder, DOMAINS.books)


# -- finding --------------------------------------------------------------------------------------------------------


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for later, (drill, arm) in enumerate([("a-drill", "runbook"), ("b-drill", "runbook"), ("a-drill", "wrong:x")]):
        folder = open_run(tmp_path, arm, drill=drill, started=STARTED + timedelta(hours=later))
        folder.write_run(record(folder))
        folder.close()
    (tmp_path / "runs" / "a-drill" / "notes").mkdir()
    return tmp_path / "runs"


def test_runs_are_listed_oldest_first_across_drills(runs: Path) -> None:
    assert [f"{path.parent.name} {path.name[9:15]}" for path in list_runs(runs)] == [
        "a-drill 100600",
        "b-drill 110600",
        "a-drill 120600",
    ]
    assert list_runs(runs / "nowhere") == []


@pytest.mark.parametrize(
    ("ref", "found"),
    [
        ("last", "20261122T120600.250Z-wrong.x-7"),
        ("b-drill", "20261122T110600.250Z-runbook-7"),
        ("a-drill/20261122T12", "20261122T120600.250Z-wrong.x-7"),
        ("20261122T1006", "20261122T100600.250Z-runbook-7"),
        ("b-drill/20261122T110600.250Z-runbook-7/", "20261122T110600.250Z-runbook-7"),
    ],
)
def test_a_run_is_found_by_prefix(runs: Path, ref: str, found: str) -> None:
    assert find_run(runs, ref).name == found


def test_a_run_is_found_by_its_folder(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = list_runs(runs)[0]
    assert find_run(Path("elsewhere"), str(folder)) == folder
    monkeypatch.chdir(folder)
    assert find_run(Path("elsewhere"), ".") == Path(".")


@pytest.mark.parametrize(
    ("ref", "words"),
    [
        ("a-drill", r"'a-drill' may mean 2 runs: a-drill/20261122T1206.*, a-drill/20261122T1006"),
        ("20261122", r"may mean 3 runs"),
        ("c-drill", r"no run 'c-drill' in .*known: a-drill/20261122T1206.*wrong.x-7, b-drill/"),
        ("", r"no run ''|is a folder but no run folder"),
    ],
)
def test_what_cannot_be_found_lists_the_candidates(runs: Path, ref: str, words: str) -> None:
    with pytest.raises(Unusable, match=words):
        find_run(runs, ref)


def test_no_run_at_all_says_how_to_start_one(tmp_path: Path) -> None:
    for ref in ("last", "x"):
        with pytest.raises(Unusable, match="start one with: kunren run DRILL"):
            find_run(tmp_path, ref)


def test_a_folder_without_a_run_says_so(runs: Path) -> None:
    with pytest.raises(Unusable, match=r"is a folder but no run folder: it has no run\.json"):
        find_run(runs, str(runs / "a-drill" / "notes"))


def test_runbook_is_optional(tmp_path: Path) -> None:
    folder = open_run(tmp_path, "no-action")
    folder.copy_inputs(b"x", None)
    assert not (folder.path / "runbook.yaml").exists()


def test_the_runbooks_that_the_operator_had_beside_his_own_lie_in_the_folder(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "d", "runbook", 1, STARTED, DOMAINS.books)
    folder.copy_inputs(b"d", b"own", {"first-look": b"other"})
    folder.write_run(record(folder))
    folder.seal()
    assert (folder.path / "runbooks" / "first-look.yaml").read_bytes() == b"other"
    assert "runbooks/first-look.yaml" in (folder.path / "SHA256SUMS").read_text()
