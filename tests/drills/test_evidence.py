from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drills.record.evidence import evidence_number, fold, verify_evidence
from drills.record.folder import StoreError, write_card

from .runfolder import open_run, record, whole_run

INPUTS = [
    "books/customers.jsonl",
    "books/exchange.jsonl",
    "books/notices.jsonl",
    "books/oms.jsonl",
    "books/world.jsonl",
    "drill.yaml",
    "events.jsonl",
    "logs/api.log",
    "rollback.jsonl",
    "run.json",
    "runbook.yaml",
    "samples/done.npy",
    "samples/intended.npy",
    "samples/key.npy",
    "samples/name.npy",
    "samples/names.json",
    "samples/outcome.npy",
    "samples/sent.npy",
]


class Card(msgspec.Struct):
    evidence: str
    verdict: str = "fail"


def judged(root: Path) -> Path:
    folder = whole_run(root)
    write_card(folder, Card(evidence_number(folder) or ""))
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return judged(tmp_path)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return judged(tmp_path_factory.mktemp("pristine"))


def sums(run: Path) -> list[str]:
    return (run / "SHA256SUMS").read_text().splitlines()


def write_sums(run: Path, lines: list[str]) -> None:
    (run / "SHA256SUMS").write_text("".join(f"{line}\n" for line in lines))


def test_every_input_is_listed_and_the_untouched_run_is_clean(run: Path) -> None:
    lines = sums(run)
    assert [line.split("  ")[1] for line in lines[:-2]] == INPUTS
    assert lines[-2] == f"# head {fold(lines[:-2])}"
    assert lines[-1].endswith("  scorecard.json")
    assert verify_evidence(run) == []


def test_the_same_run_has_the_same_number_wherever_it_lies(run: Path, tmp_path: Path) -> None:
    assert evidence_number(shutil.copytree(run, tmp_path / "copy")) == evidence_number(run)
    assert verify_evidence(tmp_path / "copy") == []


def test_sha256sum_checks_the_file(run: Path) -> None:
    done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=run, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_a_card_written_again_keeps_one_line(run: Path) -> None:
    before = sums(run)
    write_card(run, Card(evidence_number(run) or ""))
    assert sums(run) == before
    write_card(run, Card(evidence_number(run) or "", "pass"))
    assert sums(run)[:-1] == before[:-1]
    assert verify_evidence(run) == []


def test_heal_reports_are_outside(run: Path) -> None:
    (run / "heal-20261122T120000Z.json").write_text("{}")
    assert verify_evidence(run) == []


def change_byte(run: Path) -> None:
    path = run / "books" / "oms.jsonl"
    path.write_bytes(path.read_bytes().replace(b"250000", b"250001"))


def other_card(run: Path) -> None:
    write_card(run, Card("0" * 64))


def forge_line(run: Path) -> None:
    """A changed book with a checksum to match; the head gives it away."""
    change_byte(run)
    digest = subprocess.run(
        ["sha256sum", "books/oms.jsonl"], cwd=run, capture_output=True, text=True, timeout=20
    ).stdout
    write_sums(run, [digest.strip() if line.endswith("  books/oms.jsonl") else line for line in sums(run)])


CHAIN = "SHA256SUMS: the chain does not lead to its head: a line was edited, moved, added or removed"
TAMPER: list[tuple[str, Callable[[Path], object], list[str]]] = [
    ("flipped", change_byte, ["books/oms.jsonl was changed"]),
    ("removed", lambda run: (run / "rollback.jsonl").unlink(), ["rollback.jsonl is missing"]),
    (
        "added",
        lambda run: (run / "books" / "bank.jsonl").write_text(""),
        ["books/bank.jsonl is not in SHA256SUMS: it was added after the run was sealed"],
    ),
    ("forged", forge_line, [CHAIN]),
    ("reordered", lambda run: write_sums(run, [*reversed(sums(run)[:-2]), *sums(run)[-2:]]), [CHAIN]),
    (
        "line dropped",
        lambda run: write_sums(run, sums(run)[1:]),
        [CHAIN, "books/customers.jsonl is not in SHA256SUMS: it was added after the run was sealed"],
    ),
    (
        "line garbled",
        lambda run: write_sums(run, ["x", *sums(run)[1:]]),
        [
            CHAIN,
            "SHA256SUMS line 1 is not a checksum line",
            "books/customers.jsonl is not in SHA256SUMS: it was added after the run was sealed",
        ],
    ),
    (
        "head edited",
        lambda run: write_sums(run, [*sums(run)[:-2], "# head 0123", sums(run)[-1]]),
        ["SHA256SUMS: the head line was edited", "scorecard.json carries another evidence number than SHA256SUMS"],
    ),
    (
        "tail cut in the head",
        lambda run: write_sums(run, sums(run)[:-2]),
        ["SHA256SUMS has no head line: it was cut off or edited"],
    ),
    ("card line cut", lambda run: write_sums(run, sums(run)[:-1]), ["scorecard.json has no line in SHA256SUMS"]),
    (
        "last newline cut",
        lambda run: (run / "SHA256SUMS").write_text("\n".join(sums(run))),
        ["SHA256SUMS is cut off at its end"],
    ),
    (
        "falsified card",
        lambda run: (run / "scorecard.json").write_text((run / "scorecard.json").read_text().replace("fail", "pass")),
        ["scorecard.json was changed"],
    ),
    ("card of another run", other_card, ["scorecard.json carries another evidence number than SHA256SUMS"]),
    (
        "card removed",
        lambda run: (run / "scorecard.json").unlink(),
        ["scorecard.json is missing", "scorecard.json cannot be read"],
    ),
    (
        "second line after the head",
        lambda run: write_sums(run, [*sums(run), sums(run)[-1]]),
        ["SHA256SUMS: what follows the head is not the one line of scorecard.json"],
    ),
    (
        "sums removed",
        lambda run: (run / "SHA256SUMS").unlink(),
        ["SHA256SUMS is missing: the run was never sealed, or the file was removed"],
    ),
    ("sums garbled", lambda run: (run / "SHA256SUMS").write_bytes(b"\xff\xfe"), ["SHA256SUMS is not text"]),
]


@pytest.mark.parametrize(("harm", "problems"), [t[1:] for t in TAMPER], ids=[t[0] for t in TAMPER])
def test_tampering_is_found_and_named(run: Path, harm: Callable[[Path], object], problems: list[str]) -> None:
    harm(run)
    assert verify_evidence(run) == problems


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_flipped_bit_in_any_file_is_found(pristine: Path, data: st.DataObject) -> None:
    path = pristine / data.draw(st.sampled_from([*INPUTS, "SHA256SUMS", "scorecard.json"]))
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytearray(whole)
    flipped[at] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(flipped)
    try:
        assert verify_evidence(pristine) != []
    finally:
        path.write_bytes(whole)


def test_no_number_before_the_seal(tmp_path: Path) -> None:
    assert evidence_number(open_run(tmp_path).path) is None


def test_what_is_no_file_is_not_sealed(tmp_path: Path) -> None:
    folder = open_run(tmp_path)
    folder.write_run(record(folder))
    (folder.logs / "api.log").symlink_to(tmp_path / "gone")
    with pytest.raises(StoreError, match=r"api\.log is not a file"):
        folder.seal()


def test_a_name_that_the_format_cannot_carry_is_refused(tmp_path: Path) -> None:
    folder = open_run(tmp_path)
    (folder.logs / "a\nb").write_text("")
    with pytest.raises(StoreError, match="cannot stand in SHA256SUMS"):
        folder.seal()
