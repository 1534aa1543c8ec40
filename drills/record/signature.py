"""``evidence.sig``: an Ed25519 signature over a run's evidence number, by a key of whoever ran it.

The chain proves nothing to who did not keep its head elsewhere; a signature replaces that memory by a public key. It
lies outside the chain, because it is made from the chain's head, and says nothing of when it was made.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from drills.errors import Refused
from drills.record.evidence import evidence_number, replace, verify_evidence
from drills.record.names import SIGNATURE, os_words
from drills.record.reading import content_of

PURPOSE = b"kunren evidence 1\n"
"""Signed before the number, so that no other use of the key can pass for this one."""

OTHERS = 0o077


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ``evidence.sig`` holds; key and signature are raw bytes in hex."""

    schema: Literal["kunren.signature/1"]
    evidence: str
    public_key: str
    signature: str


def new_key(path: Path) -> Path:
    """Make a key pair: ``path``, readable by its owner alone, and ``path.pub``. Never over a file that is there."""
    key = Ed25519PrivateKey.generate()
    public = path.with_name(f"{path.name}.pub")
    if public.exists():
        raise Refused(f"{public} exists", "name another file: a key that is lost cannot be made again")
    _create(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
    _create(public, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), 0o644)
    return public


def load_key(path: Path) -> Ed25519PrivateKey:
    """The private key in a PEM file that nobody else may read. Refused for anything else."""
    content = _content(path)
    if path.stat().st_mode & OTHERS:
        raise Refused(f"{path} may be read by others than its owner", f"chmod 600 {path}, or make another key")
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Refused(f"{path} is no private key without a passphrase", _MEND) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Refused(f"{path} is a key of another kind than Ed25519", _MEND)
    return key


def load_public(path: Path) -> Ed25519PublicKey:
    """The public key in a PEM file. Refused for anything else."""
    try:
        key = load_pem_public_key(_content(path))
    except (ValueError, UnsupportedAlgorithm):
        raise Refused(f"{path} is no public key", "give the .pub file that was made with the key") from None
    if not isinstance(key, Ed25519PublicKey):
        raise Refused(f"{path} is a key of another kind than Ed25519")
    return key


def sign(folder: Path, key: Ed25519PrivateKey) -> str:
    """Write ``evidence.sig``; the number that was signed. Refused unless the run is just as it was sealed."""
    problems = verify_evidence(folder)
    head = evidence_number(folder)
    if problems or head is None:
        raise Refused(f"{folder} is not signed: {'; '.join(problems) or 'it has no evidence number'}")
    signature = Signature("kunren.signature/1", head, _raw(key.public_key()), key.sign(_message(head)).hex())
    replace(folder / SIGNATURE, msgspec.json.format(msgspec.json.encode(signature), indent=2) + b"\n")
    return head


def verify_signature(folder: Path, public: Ed25519PublicKey | None) -> tuple[list[str], str | None]:
    """What is wrong with ``evidence.sig``, a sentence each, and the key that signed, in hex; None where nobody did.

    With ``public`` it must be there and made with that key; without, it must fit if it is there. Unusable when it
    cannot be read now.
    """
    try:
        found = msgspec.json.decode(content_of(folder / SIGNATURE), type=Signature)
        key, signature = Ed25519PublicKey.from_public_bytes(bytes.fromhex(found.public_key)), found.signature
        key.verify(bytes.fromhex(signature), _message(found.evidence))
    except FileNotFoundError:
        missing = f"{SIGNATURE} is missing: the run was never signed, or the file was removed"
        return ([] if public is None else [missing]), None
    except OSError as error:
        return [f"{SIGNATURE} cannot be read: {os_words(error)}"], None
    except (msgspec.DecodeError, ValueError):
        return [f"{SIGNATURE} is no signature that this version knows"], None
    except InvalidSignature:
        return [f"{SIGNATURE} does not fit: it was edited, or made for something else"], None
    problems = []
    if found.evidence != evidence_number(folder):
        problems.append(f"{SIGNATURE} is for another evidence number: the chain was made anew, or it is another run's")
    if public is not None and _raw(public) != _raw(key):
        problems.append(f"{SIGNATURE} was made with another key, {_raw(key)}")
    return problems, _raw(key)


_MEND = "make one with: kunren sign --new-key FILE"


def _message(head: str) -> bytes:
    return PURPOSE + head.encode()


def _raw(key: Ed25519PublicKey) -> str:
    return key.public_bytes_raw().hex()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Refused(f"cannot read {path}: {os_words(error)}", _MEND) from error


def _create(path: Path, content: bytes, mode: int) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    except FileExistsError:
        raise Refused(f"{path} exists", "name another file: a key that is lost cannot be made again") from None
    except OSError as error:
        raise Refused(f"cannot write {path}: {os_words(error)}") from error
    with open(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(handle)
