from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from drills.errors import Refused
from drills.record.evidence import evidence_number, verify_evidence, write_chain
from drills.record.folder import write_card
from drills.record.signature import load_key, load_public, new_key, sign, verify_signature

from .runfolder import open_run, record, whole_run
from .test_evidence import Card


def made(root: Path, name: str = "drill.key") -> Path:
    new_key(root / name)
    return root / name


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return made(tmp_path)


@pytest.fixture
def run(tmp_path: Path, key: Path) -> Path:
    folder = whole_run(tmp_path)
    write_card(folder, Card(evidence_number(folder) or ""))
    sign(folder, load_key(key))
    return folder


def public(key: Path) -> Path:
    return key.with_name(f"{key.name}.pub")


def edit(run: Path, **fields: str) -> None:
    path = run / "evidence.sig"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


# -- keys -----------------------------------------------------------------------------------------------------------


def test_a_key_is_its_owners_alone_and_never_made_over_another(key: Path) -> None:
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes(), public(key).read_bytes()
    with pytest.raises(Refused, match="exists"):
        new_key(key)
    public(key).unlink()
    with pytest.raises(Refused, match="exists"):
        new_key(key)
    assert key.read_bytes() == before[0]


def test_a_public_key_of_another_pair_is_not_overwritten(tmp_path: Path, key: Path) -> None:
    key.unlink()
    with pytest.raises(Refused, match=r"drill\.key\.pub exists"):
        new_key(key)
    assert not key.exists()


def test_a_key_that_others_may_read_is_refused(key: Path) -> None:
    key.chmod(0o640)
    with pytest.raises(Refused, match="may be read by others"):
        load_key(key)


def other_kind(path: Path) -> None:
    key = X25519PrivateKey.generate()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def with_passphrase(path: Path) -> None:
    held = load_key(path)
    path.write_bytes(held.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.write_bytes(b""), "no private key without a passphrase"),
        (lambda path: path.write_bytes(public(path).read_bytes()), "no private key without a passphrase"),
        (with_passphrase, "no private key without a passphrase"),
        (other_kind, "another kind than Ed25519"),
        (Path.unlink, "cannot read .*no such file"),
    ],
)
def test_what_is_no_key_of_ours_is_refused(key: Path, spoil: Callable[[Path], object], words: str) -> None:
    spoil(key)
    with pytest.raises(Refused, match=words):
        load_key(key)


def test_a_private_key_is_no_public_key(key: Path) -> None:
    with pytest.raises(Refused, match="no public key"):
        load_public(key)


# -- signatures -----------------------------------------------------------------------------------------------------


def test_a_signed_run_checks_with_its_key_and_without_any(run: Path, key: Path) -> None:
    for wanted in (None, load_public(public(key))):
        problems, signed = verify_signature(run, wanted)
        assert problems == []
        assert signed == load_key(key).public_key().public_bytes_raw().hex()


def test_the_signature_lies_outside_the_chain(run: Path) -> None:
    assert verify_evidence(run) == []
    assert "evidence.sig" not in (run / "SHA256SUMS").read_text()


def test_signing_again_gives_the_same_bytes(run: Path, key: Path) -> None:
    before = (run / "evidence.sig").read_bytes()
    sign(run, load_key(key))
    assert (run / "evidence.sig").read_bytes() == before


def test_a_run_that_nobody_signed_is_a_problem_only_where_somebody_should_have(tmp_path: Path, key: Path) -> None:
    folder = whole_run(tmp_path)
    assert verify_signature(folder, None) == ([], None)
    problems, signed = verify_signature(folder, load_public(public(key)))
    assert problems == ["evidence.sig is missing: the run was never signed, or the file was removed"]
    assert signed is None


def forge_the_whole_chain(run: Path) -> None:
    """Change a book and make everything after it fit: only the signature knows."""
    book = run / "books" / "oms.jsonl"
    book.write_bytes(book.read_bytes().replace(b"250000", b"250001"))
    _seal_again(run)


def _seal_again(run: Path) -> None:
    write_chain(run)
    (run / "scorecard.json").unlink()
    write_card(run, Card(evidence_number(run) or "", "pass"))
    assert verify_evidence(run) == []


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (forge_the_whole_chain, "is for another evidence number"),
        (lambda run: edit(run, evidence="0" * 64), "does not fit"),
        (lambda run: edit(run, signature="00" * 64), "does not fit"),
        (lambda run: edit(run, signature="00"), "does not fit"),
        (lambda run: edit(run, public_key="00" * 31), "is no signature that this version knows"),
        (lambda run: edit(run, public_key="x"), "is no signature that this version knows"),
        (lambda run: edit(run, schema="kunren.signature/2"), "is no signature that this version knows"),
        (lambda run: edit(run, more="1"), "is no signature that this version knows"),
        (lambda run: (run / "evidence.sig").write_bytes(b"\xff"), "is no signature that this version knows"),
    ],
)
def test_a_forged_signature_is_found(run: Path, harm: Callable[[Path], object], words: str) -> None:
    harm(run)
    problems, _ = verify_signature(run, None)
    assert len(problems) == 1
    assert words in problems[0]


def test_a_signature_by_another_key_is_found_by_who_has_the_right_one(run: Path, tmp_path: Path, key: Path) -> None:
    forge_the_whole_chain(run)
    sign(run, load_key(made(tmp_path, "forger.key")))
    assert verify_signature(run, None)[0] == []
    problems, _ = verify_signature(run, load_public(public(key)))
    assert len(problems) == 1
    assert "was made with another key" in problems[0]


def test_a_signature_of_another_run_does_not_pass(run: Path, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    other = whole_run(tmp_path / "b", seed=8)
    shutil.copy(run / "evidence.sig", other)
    assert "another run's" in verify_signature(other, None)[0][0]


def test_what_was_changed_or_never_sealed_is_not_signed(tmp_path: Path, key: Path) -> None:
    changed = whole_run(tmp_path)
    (changed / "rollback.jsonl").unlink()
    with pytest.raises(Refused, match=r"is not signed: rollback\.jsonl is missing"):
        sign(changed, load_key(key))
    folder = open_run(tmp_path, "no-fault")
    folder.write_run(record(folder))
    with pytest.raises(Refused, match="never sealed"):
        sign(folder.path, load_key(key))
    assert not (folder.path / "evidence.sig").exists()
