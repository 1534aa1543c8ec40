"""How the brokerage's own clients look at what the edge shows them: each by a file of its own, which operators keep.

``clients/NAME.json`` in the stack's folder. A client without one verifies everything. ``name-unchecked`` takes any
certificate of our authority, whoever it was made for; ``off`` takes whatever it is shown.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Literal, get_args

import msgspec

FOLDER = "clients"
Verification = Literal["on", "name-unchecked", "off"]
VERIFICATIONS: tuple[Verification, ...] = get_args(Verification)

SYNTHETIC = "synthetic"
"""Tries what customers do, for operators."""

CLIENTS = (SYNTHETIC,)


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client goes by."""

    verification: Verification = "on"


def settings(stack: Path, client: str) -> Settings:
    """Of this client; OSError, ValueError (msgspec's)."""
    try:
        return msgspec.json.decode((stack / FOLDER / f"{client}.json").read_bytes(), type=Settings)
    except FileNotFoundError:
        return Settings()


def keep(stack: Path, client: str, wanted: Settings) -> None:
    """Have the client go by these from now on; OSError."""
    path = stack / FOLDER / f"{client}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(msgspec.json.encode(wanted) + b"\n")


def context(stack: Path, client: str) -> ssl.SSLContext:
    """With which the client connects; OSError, ValueError."""
    from targets.brokerage.edge.certificates import authority  # slow to import

    wanted = settings(stack, client).verification
    made = ssl.create_default_context(cadata=authority(stack))
    made.check_hostname = wanted == "on"
    if wanted == "off":
        made.verify_mode = ssl.CERT_NONE
    return made
