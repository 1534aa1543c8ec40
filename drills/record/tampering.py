"""Whether a run folder is still what it was: the chain over its inputs, and the signature. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from drills.record.folder import verify_evidence
from drills.record.signature import load_public, verify_signature


@dataclass(frozen=True, slots=True)
class Findings:
    """Sentences: ``problems`` mean that something was changed, ``notes`` are worth knowing."""

    problems: list[str]
    notes: list[str]


def examine(folder: Path, public_key: Path | None = None) -> Findings:
    """Compare a folder with its chain and with its signature.

    With ``public_key`` it must be signed with that key. Refused when that file holds no key.
    """
    wanted = None if public_key is None else load_public(public_key)
    forged, signed = verify_signature(folder, wanted)
    notes = [] if signed is None else [f"signed with the key {signed}"]
    return Findings([*verify_evidence(folder), *forged], notes)
