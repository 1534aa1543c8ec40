"""The chains of certificates that customers are shown: where they lie, and what somebody sees of one.

In the stack's folder, ``edge/``: a folder for each name with ``chain.pem`` (leaf, then intermediate) and ``key.pem``,
which the edge serves, and ``authority.pem``, the root that customers trust. Operators put files there; what a vendor
has delivered lies in ``edge/delivered/NAME/`` until then. Issuing is the vendor's (``vendor/authority.py``).
"""

from __future__ import annotations

import datetime
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

FOLDER = "edge"
DELIVERED = "delivered"
CHAIN, KEY, LEAF, AUTHORITY = "chain.pem", "key.pem", "leaf.pem", "authority.pem"


@dataclass(frozen=True, slots=True)
class Shown:
    """A chain as somebody sees it: SHA-256 of the leaf (hex), and when the first of it ends, UTC."""

    fingerprint: str
    ends: datetime.datetime
    length: int

    def seconds_left(self, now: datetime.datetime) -> float:
        """Until one of the chain is no longer valid; below 0 once it is not."""
        return (self.ends - now).total_seconds()


def place(stack: Path, name: str) -> Path:
    """Where the files lie that the edge serves under this name."""
    return stack / FOLDER / name


def delivery(stack: Path, name: str) -> Path:
    """Where what the vendor has delivered for this name lies."""
    return stack / FOLDER / DELIVERED / name


def authority(stack: Path) -> str:
    """The root that customers of the stack in this folder trust, in PEM; OSError."""
    return (stack / FOLDER / AUTHORITY).read_text(encoding="ascii")


def in_file(chain: Path) -> Shown:
    """What a file holds; OSError, ValueError."""
    return of(x509.load_pem_x509_certificates(chain.read_bytes()))


def in_handshake(chain: Sequence[bytes]) -> Shown:
    """What a server has shown, leaf first, in DER; ValueError."""
    return of([x509.load_der_x509_certificate(each) for each in chain])


def of(chain: Sequence[x509.Certificate]) -> Shown:
    """The chain's leaf, and its earliest end: one that has expired makes all of it worthless."""
    leaf = chain[0].public_bytes(serialization.Encoding.DER)
    return Shown(hashlib.sha256(leaf).hexdigest(), min(each.not_valid_after_utc for each in chain), len(chain))


def belongs(chain: Path, key: Path) -> bool:
    """Whether the key in one file is that of the leaf in the other; OSError, ValueError."""
    leaf = x509.load_pem_x509_certificates(chain.read_bytes())[0]
    mine = serialization.load_pem_private_key(key.read_bytes(), None).public_key()
    return _public(mine) == _public(leaf.public_key())


def now() -> datetime.datetime:
    """The clock that certificates go by."""
    return datetime.datetime.now(datetime.UTC)


def write(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Whole or not at all, never readable by others in between, and owned by whom the folder belongs to."""
    aside = path.with_name(f".{path.name}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(aside, owner.st_uid, owner.st_gid)
    aside.replace(path)


def write_key(path: Path, content: bytes) -> None:
    """As ``write``, for nobody but its owner."""
    write(path, content, 0o600)


def _public(key: object) -> bytes:
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return key.public_bytes(*form)  # type: ignore[attr-defined,no-any-return]
