"""Correct histories in which a chain that ends soon is renewed in time, entered, and every client verifies."""

from __future__ import annotations

import msgspec

from drills.domains.certificates.rows import ChainSeen, ClientLook, NameServed

from . import synthetic as made
from .synthetic import END, FAULT, SWITCHED, Draft, at

CERTIFICATE_CHECKS = ["names-accepted", "served-as-installed", "renewed-names-listed", "clients-verify"]
WWW, APP = "www.example", "app.example"
DAYS_MS = 90 * 86_400_000
DECOYS = ("expired", "self-signed", "wrong-name")


def correct_certified(seed: int = 0, arm: str = "runbook", effect: bool = True) -> Draft:
    """A day, with the book of who looks from outside; one name is not in the inventory and nobody renewed it."""
    draft = made.correct(seed, arm, effect)
    draft.plan = msgspec.structs.replace(draft.plan, checks=[*made.CHECKS, *CERTIFICATE_CHECKS])
    draft.run = msgspec.structs.replace(draft.run, books=[*draft.run.books, "certificates"])
    draft.certificates = [seen(-2, WWW, "a"), seen(-2, APP, "b"), seen(-2, "old.example", "c")]
    if draft.plan.injects:
        draft.certificates += [seen(FAULT, APP, "d", 20_000), seen(SWITCHED, APP, "e")]
    now = "e" if draft.plan.injects else "b"
    draft.certificates += [served(WWW, "a", "a"), served(APP, now, now), served("old.example", "c", "")]
    draft.certificates += [
        ClientLook(t_ns=at(END + 1), id=f"synthetic/{decoy}", client="synthetic", decoy=decoy, accepted=False)
        for decoy in DECOYS
    ]
    return draft


def seen(t: float, name: str, leaf: str, left_ms: int = DAYS_MS) -> ChainSeen:
    return ChainSeen(
        t_ns=at(t), id=f"edge/{name}", listener="edge", name=name, fingerprint=leaf, left_ms=left_ms, length=2
    )


def served(name: str, leaf: str, listed: str) -> NameServed:
    return NameServed(
        t_ns=at(END + 1), id=f"edge/{name}", name=name, fingerprint=leaf, left_ms=DAYS_MS, length=2, refused="",
        in_file=leaf, key_fits=True, listed=listed,
    )  # fmt: skip
