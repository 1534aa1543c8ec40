"""The vendor's authority: a root, an intermediate, and what they sign, made anew for each stack.

In the stack's folder, ``vendor/``: certificates and keys of both, and ``register.json``, which says for which IP
addresses a name is good as well. Only the vendor reads them; an operator gets what it issues.
"""

from __future__ import annotations

import datetime
import ipaddress
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from targets.brokerage.edge.certificates import now, write, write_key

FOLDER = "vendor"
REGISTER = "register.json"
ROOT, INTERMEDIATE = "root", "intermediate"
DAY_S = 86_400.0
LEAF_S, AUTHORITY_S = 90 * DAY_S, 3650 * DAY_S
EARLIER_S = 3600.0
"""Valid since then already: clocks differ."""

Part = Literal["leaf", "intermediate"]
"""Of a chain, beside its root."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is handed over for a name, in PEM: the leaf, the intermediate that signed it, and the leaf's key."""

    leaf: bytes
    intermediate: bytes
    key: bytes

    @property
    def chain(self) -> bytes:
        """As a server shows it."""
        return self.leaf + self.intermediate


@dataclass(frozen=True, slots=True)
class Signer:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs for the names of its register."""

    root: Signer
    intermediate: Signer
    register: Mapping[str, Sequence[str]]

    def issue(self, name: str, seconds: float | None = None, part: Part = "leaf") -> Delivery:
        """For a name of the register, KeyError for another; with ``seconds`` that ``part`` ends so soon from now."""
        short = LEAF_S if seconds is None else seconds
        between = self.intermediate
        if seconds is not None and part == "intermediate":
            between = _intermediate(self.root, seconds, self.intermediate.key)
        leaf_s = short if part == "leaf" else LEAF_S
        leaf = signed_leaf(between, name, leaf_s, self.register[name])
        return Delivery(pem(leaf.certificate), pem(between.certificate), _key_pem(leaf.key))


def create(folder: Path, register: Mapping[str, Sequence[str]]) -> Authority:
    """Make a new one into ``folder``, which is made as well."""
    folder.mkdir(parents=True, exist_ok=True)
    key = _new_key()
    root = Signer(_authority("Kunren Drill Root", key, None, 1, AUTHORITY_S), key)
    made = Authority(root, _intermediate(root, AUTHORITY_S, _new_key()), register)
    for name, signer in ((ROOT, made.root), (INTERMEDIATE, made.intermediate)):
        write(folder / f"{name}.pem", pem(signer.certificate))
        write_key(folder / f"{name}-key.pem", _key_pem(signer.key))
    write(folder / REGISTER, json.dumps(register).encode())
    return made


def load(folder: Path) -> Authority:
    """The one in ``folder``; OSError, ValueError."""
    register = json.loads((folder / REGISTER).read_bytes())
    return Authority(_signer(folder, ROOT), _signer(folder, INTERMEDIATE), register)


def signed_leaf(by: Signer, name: str, seconds: float, addresses: Sequence[str] = ()) -> Signer:
    """A server's certificate for a name and IP addresses that ends ``seconds`` from now; below 0 it has ended."""
    key = _new_key()
    return Signer(_leaf(key, by.certificate.subject, by.key, name, seconds, addresses), key)


def self_signed(name: str) -> Signer:
    """A server's certificate that nobody else has signed."""
    key = _new_key()
    return Signer(_leaf(key, _named(name), key, name, LEAF_S, ()), key)


def pem(certificate: x509.Certificate) -> bytes:
    """As it lies in a file."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(signer: Signer) -> bytes:
    """As it lies in a file, not encrypted."""
    return _key_pem(signer.key)


def _signer(folder: Path, name: str) -> Signer:
    certificate = x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes())
    key = serialization.load_pem_private_key((folder / f"{name}-key.pem").read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{name}-key.pem in {folder} is no key of the authority's kind")
    return Signer(certificate, key)


def _intermediate(root: Signer, seconds: float, key: ec.EllipticCurvePrivateKey) -> Signer:
    return Signer(_authority("Kunren Drill Intermediate", key, root, 0, seconds), key)


def _leaf(
    key: ec.EllipticCurvePrivateKey, issuer: x509.Name, signing: ec.EllipticCurvePrivateKey, name: str,
    seconds: float, addresses: Sequence[str],
) -> x509.Certificate:  # fmt: skip
    good_for = [x509.DNSName(name), *(x509.IPAddress(ipaddress.ip_address(each)) for each in addresses)]
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    made = _certificate(_named(name), key, issuer, signing, seconds)
    made = made.add_extension(x509.SubjectAlternativeName(good_for), critical=False)
    made = made.add_extension(usage, critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    return made.sign(signing, hashes.SHA256())


def _authority(
    name: str, key: ec.EllipticCurvePrivateKey, by: Signer | None, below: int, seconds: float
) -> x509.Certificate:
    issuer, signing = (_named(name), key) if by is None else (by.certificate.subject, by.key)
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    made = _certificate(_named(name), key, issuer, signing, seconds)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=below), critical=True)
    return made.add_extension(usage, critical=True).sign(signing, hashes.SHA256())


def _certificate(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, issuer: x509.Name, signing: ec.EllipticCurvePrivateKey,
    seconds: float,
) -> x509.CertificateBuilder:  # fmt: skip
    ends = now() + datetime.timedelta(seconds=seconds)
    begins = min(now(), ends) - datetime.timedelta(seconds=EARLIER_S)
    mine = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    theirs = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(mine, critical=False)
        .add_extension(theirs, critical=False)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())  # quick to sign with: a handshake for each of 1,500 customers


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
