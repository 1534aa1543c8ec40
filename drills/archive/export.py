"""What an auditor takes away in one zip file: cards, register, evidence, and the way to check it all without kunren."""

from __future__ import annotations

import contextlib
import hashlib
import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec

from drills.archive import check_offline
from drills.archive.prune import is_evidence
from drills.record.encoding import encode_indented
from drills.record.names import Unusable, mend_of, os_words, reference
from drills.record.reading import content_of, reading
from drills.record.register import REGISTER, Register, read_register

READ_ME = Path(__file__).with_name("export_readme.txt")


class Manifest(msgspec.Struct, frozen=True):
    """``export.json``. ``gone``: runs that the register has and whose folders were not there any more."""

    schema: str
    made: str
    kunren: str
    cards_only: bool
    register_head: str | None
    runs: list[str]
    gone: list[str]


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: how many runs and bytes, the file's SHA-256 and the head of the register."""

    runs: int
    size: int
    sha256: str
    manifest: Manifest


def export(file: Path, runs: Path, folders: Sequence[Path], findings: Path | None, *, cards_only: bool) -> Exported:
    """Write the zip file, whole or not at all. Unusable where it cannot be written, or a run cannot be read."""
    register = read_register(runs)
    gone = [] if not register.entries else _gone(register, runs)
    manifest = Manifest(
        schema="kunren.export/1",
        made=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        kunren=version("kunren"),
        cards_only=cards_only,
        register_head=register.head,
        runs=[reference(folder) for folder in folders],
        gone=gone,
    )
    kept = content_of(runs / REGISTER) if register.heads else b""
    found = b"" if findings is None else _content(findings)
    temporary = file.with_name(f".{file.name}.new")
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=6, strict_timestamps=False) as out:
            out.writestr("README.txt", READ_ME.read_bytes())
            out.writestr("export.json", encode_indented(manifest))
            out.writestr("check.py", Path(check_offline.__file__).read_bytes())
            if kept:
                out.writestr(REGISTER, kept)
            if findings is not None:
                out.writestr("findings.yaml", found)
            for folder in folders:
                for path in sorted(_files(folder, cards_only=cards_only)):
                    with reading(path):
                        out.write(path, f"runs/{reference(folder)}/{path.relative_to(folder).as_posix()}")
        digest, size = _digest(temporary), temporary.stat().st_size
        os.replace(temporary, file)
    except OSError as error:
        raise Unusable(f"cannot write {file}: {os_words(error)}", mend_of(error)) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return Exported(len(folders), size, digest, manifest)


def _content(findings: Path) -> bytes:
    try:
        return content_of(findings)
    except OSError as error:
        raise Unusable(f"cannot read {findings}: {os_words(error)}", "name the file with --findings") from error


def _gone(register: Register, runs: Path) -> list[str]:
    return [run for run in register.begun() if not (runs / run).is_dir()]


def _files(folder: Path, *, cards_only: bool) -> Iterator[Path]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not path.is_symlink() and not (cards_only and is_evidence(name)):
            yield path


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
