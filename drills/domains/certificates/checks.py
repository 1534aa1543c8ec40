"""Certificates at the end: accepted under every name, served as installed, listed once renewed, and looked at."""

from __future__ import annotations

from drills.domains.certificates import facts
from drills.domains.certificates.rows import ClientLook, NameServed
from drills.judge.check import Check, because, combine, count
from drills.record.history import CheckResult, History, Status


def names_accepted(history: History) -> CheckResult:
    """A new handshake under each name is accepted by who trusts the root alone, and its chain lasts."""
    rows = dict(facts.at_the_end(history))
    if not rows:
        return because(Status.UNKNOWN, "cert.not-looked")
    return combine(
        count("cert.refused", [place for place, row in rows.items() if row.refused], len(rows)),
        count("cert.ends-soon", [place for place, row in rows.items() if _ends_soon(row)], len(rows)),
    )


def served_as_installed(history: History) -> CheckResult:
    """What is served is what lies in the file, and the key beside it is its own: a restart brings nothing else."""
    rows = dict(facts.at_the_end(history))
    if not rows:
        return because(Status.UNKNOWN, "cert.not-looked")
    return combine(
        count("cert.not-loaded", [place for place, row in rows.items() if row.fingerprint != row.in_file], len(rows)),
        count("cert.other-key", [place for place, row in rows.items() if not row.key_fits], len(rows)),
    )


def renewed_names_listed(history: History) -> CheckResult:
    """Each name that was shown another chain while it was observed is in the inventory, with the chain it has now.

    One under which nothing is shown any more is not: nobody can say what was entered.
    """
    names = facts.changed(history)
    rows = {place: row for place, row in facts.at_the_end(history) if row.name in names}
    return combine(count("cert.unlisted", [place for place, row in rows.items() if not _is_listed(row)], len(rows)))


def clients_verify(history: History) -> CheckResult:
    """No client of the brokerage's own accepts a certificate that has ended, is nobody's, or is somebody else's."""
    looks = {n: row for n, row in enumerate(history.books[facts.BOOK]) if isinstance(row, ClientLook)}
    if not looks:
        return because(Status.UNKNOWN, "cert.not-looked")
    return combine(
        count("cert.trusted-anybody", [f"{facts.BOOK}:{n}" for n, row in looks.items() if row.accepted], len(looks))
    )


def _is_listed(row: NameServed) -> bool:
    return row.listed != "" and row.listed == row.fingerprint


def _ends_soon(row: NameServed) -> bool:
    return not row.fingerprint or row.left_ms < facts.SOON_MS


_NEEDS = (facts.BOOK,)

CHECKS = (
    Check("names-accepted", "I-11", _NEEDS, False, names_accepted),
    Check("served-as-installed", "I-24", _NEEDS, False, served_as_installed),
    Check("renewed-names-listed", "I-11", _NEEDS, False, renewed_names_listed),
    Check("clients-verify", "I-24", _NEEDS, False, clients_verify),
)
