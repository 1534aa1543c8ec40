"""``kunren check --evidence`` and ``kunren sign`` from the outside, on a golden run folder."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from drills.commands.app import app
from drills.errors import Refused

GOLDEN = Path(__file__).parents[1] / "golden" / "fail-objective"


def kunren(*argv: object) -> Any:
    done = CliRunner().invoke(app, [str(arg) for arg in argv])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDEN, tmp_path / "run"))


def files(run: Path) -> dict[str, bytes]:
    return {str(path.relative_to(run)): path.read_bytes() for path in run.rglob("*") if path.is_file()}


def rewrite(run: Path, name: str, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path = run / name
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


def flip_a_byte(run: Path) -> None:
    path = run / "samples" / "done.npy"
    whole = bytearray(path.read_bytes())
    whole[-3] ^= 1
    path.write_bytes(whole)


def reorder_events(run: Path) -> None:
    """Two neighbours change places, and their numbers with them: every line is well-formed, the count is dense."""

    def swap(lines: list[bytes]) -> list[bytes]:
        first, second = json.loads(lines[20]), json.loads(lines[21])
        first["index"], second["index"] = second["index"], first["index"]
        return [*lines[:20], *(json.dumps(event).encode() + b"\n" for event in (second, first)), *lines[22:]]

    rewrite(run, "events.jsonl", swap)


def falsify_the_card(run: Path, old: bytes = b'"verdict": "fail"', new: bytes = b'"verdict": "pass"') -> None:
    """And its line after the chain, so that all checksums fit."""
    card = run / "scorecard.json"
    card.write_bytes(card.read_bytes().replace(old, new))
    line = f"{hashlib.sha256(card.read_bytes()).hexdigest()}  scorecard.json\n".encode()
    rewrite(run, "SHA256SUMS", lambda lines: [*lines[:-1], line])


HARM: list[tuple[Callable[[Path], object], str]] = [
    (flip_a_byte, "samples/done.npy was changed"),
    (lambda run: (run / "books" / "notices.jsonl").unlink(), "books/notices.jsonl is missing"),
    (lambda run: (run / "logs" / "gateway.log").write_text(""), "logs/gateway.log is not in SHA256SUMS"),
    (reorder_events, "events.jsonl was changed"),
    (lambda run: rewrite(run, "events.jsonl", lambda lines: lines[:-1]), "events.jsonl was changed"),
    (lambda run: rewrite(run, "books/customers.jsonl", lambda lines: lines[:-9]), "books/customers.jsonl was changed"),
    (lambda run: rewrite(run, "SHA256SUMS", lambda lines: lines[:-2]), "SHA256SUMS has no head line"),
    (falsify_the_card, "scorecard.json is not the card that these inputs give under rules"),
]


@pytest.mark.parametrize(("harm", "words"), HARM, ids=["flipped", "removed", "added", "reordered", "tail", "book-tail",
                                                      "sums-tail", "card"])  # fmt: skip
def test_tampering_is_said_and_the_folder_stays_as_found(run: Path, harm: Callable[[Path], object], words: str) -> None:
    harm(run)
    before = files(run)
    done = kunren("check", run, "--evidence", "--quiet")
    assert done.exit_code == 1
    assert f"evidence: {run}: {words}" in done.output
    assert "nothing was changed" not in done.output
    assert files(run) == before


def test_an_untouched_run_has_its_number_on_the_card_and_on_stdout(run: Path) -> None:
    before = files(run)
    head = json.loads(before["scorecard.json"])["evidence"]
    done = kunren("check", run, "--evidence")
    assert "evidence: nothing was changed since the run was sealed" in done.output
    assert head[:16] in done.output
    assert f"# head {head}" in before["SHA256SUMS"].decode()
    assert files(run) == before


def test_a_card_that_is_none_is_falsified(run: Path) -> None:
    falsify_the_card(run, b'"rules": ', b'"rulers": ')
    assert "is not the card that these inputs give" in kunren("check", run, "--evidence", "--quiet").output


def test_a_key_is_made_a_run_is_signed_and_checked(run: Path, tmp_path: Path) -> None:
    key, public = tmp_path / "drill.key", tmp_path / "drill.key.pub"
    assert kunren("sign", "--new-key", key).exit_code == 0
    head = json.loads((run / "scorecard.json").read_bytes())["evidence"]
    assert f"signed {head}" in kunren("sign", run, "--key", key).output
    done = kunren("check", run, "--evidence", "--public-key", public, "--quiet")
    assert done.exit_code == 1  # the run failed
    assert "signed with the key" in done.output
    assert "nothing was changed" in done.output
    (run / "evidence.sig").unlink()
    done = kunren("check", run, "--evidence", "--public-key", public, "--quiet")
    assert "evidence.sig is missing" in done.output


@pytest.mark.parametrize("argv", [[], ["run"], ["--key", "k"], ["run", "--key", "k", "--new-key", "n"],
                                  ["run", "--new-key", "n"]])  # fmt: skip
def test_sign_says_what_it_wants(argv: list[str]) -> None:
    with pytest.raises(Refused, match="name runs and --key FILE, or --new-key FILE alone"):
        kunren("sign", *argv)


def test_a_public_key_is_for_evidence_alone(run: Path) -> None:
    with pytest.raises(Refused, match="say both"):
        kunren("check", run, "--public-key", "x")
