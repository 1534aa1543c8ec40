"""What the vendor has delivered for a name and nobody serves yet: kept, looked at, installed.

``edge/delivered/NAME/``: ``leaf.pem``, ``chain.pem`` (leaf, then intermediate) and ``key.pem``.
"""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from targets.brokerage.edge import certificates
from targets.brokerage.edge.certificates import AUTHORITY, CHAIN, DELIVERED, FOLDER, KEY, LEAF


def names(stack: Path) -> list[str]:
    """For which there is something."""
    folder = stack / FOLDER / DELIVERED
    return sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []


def keep(stack: Path, name: str, leaf: bytes, intermediate: bytes, key: bytes) -> None:
    """Put it there; OSError."""
    folder = certificates.delivery(stack, name)
    folder.mkdir(parents=True, exist_ok=True)
    certificates.write(folder / LEAF, leaf)
    certificates.write(folder / CHAIN, leaf + intermediate)
    certificates.write_key(folder / KEY, key)


def install(stack: Path, name: str, *, whole_chain: bool = True, with_key: bool = True) -> None:
    """Copy it to where the edge takes it from: without the intermediate or without the key if so wanted. OSError."""
    source, to = certificates.delivery(stack, name), certificates.place(stack, name)
    certificates.write(to / CHAIN, (source / (CHAIN if whole_chain else LEAF)).read_bytes())
    if with_key:
        certificates.write_key(to / KEY, (source / KEY).read_bytes())


def is_pair(stack: Path, name: str) -> bool:
    """Whether chain and key that lie where the edge takes them from belong together; OSError, ValueError."""
    folder = certificates.place(stack, name)
    return certificates.belongs(folder / CHAIN, folder / KEY)


def trouble(stack: Path, name: str) -> str | None:
    """Why customers would not take it, or the edge could not serve it; None where it is good."""
    folder = certificates.delivery(stack, name)
    try:
        chain = x509.load_pem_x509_certificates((folder / CHAIN).read_bytes())
        root = x509.load_pem_x509_certificate((stack / FOLDER / AUTHORITY).read_bytes())
        policy = PolicyBuilder().store(Store([root])).time(certificates.now())
        policy.build_server_verifier(x509.DNSName(name)).verify(chain[0], chain[1:])
        return None if certificates.belongs(folder / CHAIN, folder / KEY) else "the key is not that of the certificate"
    except VerificationError as error:
        return f"the chain does not hold: {error}"
    except (OSError, ValueError) as error:
        return f"it cannot be read: {error}"
