"""The chain of certificates that customers are shown: root -> intermediate -> leaf, made anew for each stack.

In the stack's folder, ``edge/``: ``chain.pem`` (leaf, then intermediate) and ``key.pem``, which the edge serves, and
``authority.pem``, the root that customers trust.
"""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

FOLDER = "edge"
CHAIN, KEY, AUTHORITY = "chain.pem", "key.pem", "authority.pem"

LEAF_DAYS, AUTHORITY_DAYS = 90, 3650
EARLIER = datetime.timedelta(hours=1)
"""Valid since then already: clocks differ."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A chain as somebody sees it: SHA-256 of the leaf (hex), and when the first of it ends, UTC."""

    fingerprint: str
    ends: datetime.datetime
    length: int

    def seconds_left(self, now: datetime.datetime) -> float:
        """Until one of the chain is no longer valid; below 0 once it is not."""
        return (self.ends - now).total_seconds()


@dataclass(frozen=True, slots=True)
class _Signer:
    name: x509.Name
    key: ec.EllipticCurvePrivateKey


def issue(folder: Path, addresses: Sequence[str]) -> None:
    """Make a new chain for these IP addresses into ``folder``, which is made as well."""
    folder.mkdir(parents=True, exist_ok=True)
    root = _Signer(_named("Kunren Drill Root"), _new_key())
    between = _Signer(_named("Kunren Drill Intermediate"), _new_key())
    leaf = _Signer(_named("Kunren Drill Brokerage"), _new_key())
    shown = [_leaf(leaf, between, addresses), _authority(between, root, 0)]
    _write(folder / CHAIN, b"".join(map(_pem, shown)))
    _write(folder / AUTHORITY, _pem(_authority(root, root, 1)))
    _write(folder / KEY, _key_pem(leaf.key), 0o600)


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


def now() -> datetime.datetime:
    """The clock that certificates go by."""
    return datetime.datetime.now(datetime.UTC)


def _leaf(owner: _Signer, by: _Signer, addresses: Sequence[str]) -> x509.Certificate:
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(each)) for each in addresses])
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    made = _certificate(owner, by, LEAF_DAYS).add_extension(names, critical=False).add_extension(usage, critical=False)
    return made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True).sign(
        by.key, hashes.SHA256()
    )


def _authority(owner: _Signer, by: _Signer, below: int) -> x509.Certificate:
    limits = x509.BasicConstraints(ca=True, path_length=below)
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    made = _certificate(owner, by, AUTHORITY_DAYS).add_extension(limits, critical=True)
    return made.add_extension(usage, critical=True).sign(by.key, hashes.SHA256())


def _certificate(owner: _Signer, by: _Signer, days: int) -> x509.CertificateBuilder:
    begins = now() - EARLIER
    mine = x509.SubjectKeyIdentifier.from_public_key(owner.key.public_key())
    theirs = x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(owner.name)
        .issuer_name(by.name)
        .public_key(owner.key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + datetime.timedelta(days=days))
        .add_extension(mine, critical=False)
        .add_extension(theirs, critical=False)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())  # quick to sign with: a handshake for each of 1,500 customers


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Whole or not at all, and never readable by others in between."""
    aside = path.with_name(f".{path.name}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    aside.replace(path)
