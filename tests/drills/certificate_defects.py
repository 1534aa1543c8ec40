"""Defects planted in correct histories of certificates, one each; see ``defects``."""

from __future__ import annotations

import random
from collections.abc import Callable

from drills.domains.certificates.rows import ClientLook, NameServed

from .certified import APP, WWW, seen
from .defects import Defect, Plant, Rows, alter, pick
from .synthetic import SWITCHED, Draft

CERTIFICATE_DEFECTS: list[Defect] = []


def defect(*speaks: str) -> Callable[[Plant], Plant]:
    """The first of those who speak must show the rows."""

    def note(plant: Plant) -> Plant:
        CERTIFICATE_DEFECTS.append(Defect(plant, frozenset(speaks), speaks[0], None))
        return plant

    return note


def spoilt(draft: Draft, rng: random.Random, **fields: object) -> Rows:
    return [alter(draft.certificates, pick(rng, draft.certificates, NameServed), **fields)]


@defect("names-accepted")
def leaf_without_its_intermediate(draft: Draft, rng: random.Random) -> Rows:
    return spoilt(draft, rng, refused="unable to get local issuer certificate", length=1)


@defect("names-accepted")
def chain_that_has_ended(draft: Draft, rng: random.Random) -> Rows:
    return spoilt(draft, rng, refused="certificate has expired", left_ms=-rng.randrange(1, 60_000))


@defect("names-accepted")
def chain_that_ends_within_the_hour(draft: Draft, rng: random.Random) -> Rows:
    return spoilt(draft, rng, left_ms=rng.randrange(1, 3_600_000))


@defect("served-as-installed")
def installed_and_not_loaded(draft: Draft, rng: random.Random) -> Rows:
    return spoilt(draft, rng, in_file="f")


@defect("served-as-installed")
def key_of_another(draft: Draft, rng: random.Random) -> Rows:
    return spoilt(draft, rng, key_fits=False)


@defect("renewed-names-listed")
def renewed_and_not_entered(draft: Draft, rng: random.Random) -> Rows:
    name = rng.choice([WWW, APP])
    row = pick(rng, draft.certificates, NameServed, lambda row: row.name == name)
    draft.certificates.append(seen(SWITCHED - 1, name, "x"))
    return [alter(draft.certificates, row, listed=rng.choice(["", "x"]))]


@defect("clients-verify")
def client_that_takes_whatever_it_is_shown(draft: Draft, rng: random.Random) -> Rows:
    looks = [row for row in draft.certificates if isinstance(row, ClientLook)]
    return [alter(draft.certificates, row, accepted=True) for row in looks]


@defect("clients-verify")
def client_that_does_not_look_at_the_name(draft: Draft, rng: random.Random) -> Rows:
    row = pick(rng, draft.certificates, ClientLook, lambda row: row.decoy == "wrong-name")
    return [alter(draft.certificates, row, accepted=True)]
