from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from loadprofiles.journal import Journal
from loadprofiles.samples import RECORD, SAMPLE, OutcomeCode, Tail


def test_records_are_forty_bytes_and_numpy_reads_what_struct_wrote(tmp_path: Path) -> None:
    assert RECORD.size == SAMPLE.itemsize == 40
    with Journal(tmp_path) as journal:
        journal.sample(1, 2, 3, 4, OutcomeCode.RESET, 1)
    (row,) = Tail(tmp_path / "samples.bin").new()
    assert row.tolist() == (1, 2, 3, 4, 7, 1)


def test_no_file_is_no_samples(tmp_path: Path) -> None:
    assert len(Tail(tmp_path / "samples.bin").new()) == 0


@given(st.lists(st.integers(0, 100), max_size=8))
def test_a_torn_record_is_read_when_it_is_whole(cuts: list[int]) -> None:
    import tempfile

    data = b"".join(RECORD.pack(i, i, i, i, 0, 0) for i in range(5))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "samples.bin"
        tail, seen, start = Tail(path), [], 0
        for end in [*sorted(min(cut * 2, len(data)) for cut in cuts), len(data)]:
            with path.open("ab") as file:
                file.write(data[start:end])
            start = end
            seen += tail.new()["key"].tolist()
        assert seen == [0, 1, 2, 3, 4]


def test_rows_reach_the_disk_before_their_samples(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.row("request", 5, 1, "C-0001", action="balances", intended_ns=5)
    journal.sample(5, 5, 6, 1, OutcomeCode.OK, 0)
    assert (tmp_path / "samples.bin").read_bytes() == b""
    journal.flush()
    assert b'"id":"1"' in (tmp_path / "customers.jsonl").read_bytes()
    assert len(Tail(tmp_path / "samples.bin").new()) == 1
    journal.close()
