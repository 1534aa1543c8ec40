"""Who may do what with ``brokerctl``: one table, read by people as well."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """Whose authority a command is given with."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    DUTY_MANAGER = "duty-manager"


ANYONE = frozenset(Role)
OPERATORS = frozenset({Role.OPERATOR, Role.DUTY_MANAGER})
MANAGERS = frozenset({Role.DUTY_MANAGER})

PERMITTED: Mapping[str, frozenset[Role]] = {
    "status": ANYONE,
    "reconcile": ANYONE,
    "customers affected": ANYONE,
    "gateway status": ANYONE,
    "gateway probe": ANYONE,
    "batch status": ANYONE,
    "batch verify": ANYONE,
    "locks show": ANYONE,
    "service close": OPERATORS,
    "service open": OPERATORS,
    "balances mark-not-current": OPERATORS,
    "balances mark-current": OPERATORS,
    "gateway use-link": OPERATORS,
    "gateway resolve": OPERATORS,
    "gateway resend": OPERATORS,
    "gateway drain": OPERATORS,
    "notices resend": OPERATORS,
    "host restart": OPERATORS,
    "host kill": OPERATORS,
    "batch hold": OPERATORS,
    "batch cancel": OPERATORS,
    "batch resume": OPERATORS,
    "batch rerun": OPERATORS,
    "session terminate": OPERATORS,
    "ledger adjust": OPERATORS,
}
"""Command -> roles. What is not here is permitted to nobody."""

FORCE = MANAGERS
"""Who may overrule a refusal of the system with ``--force``."""

READ_ONLY = frozenset(
    {
        "status",
        "reconcile",
        "customers affected",
        "gateway status",
        "gateway probe",
        "gateway drain",
        "batch status",
        "batch verify",
        "locks show",
    }
)
"""Commands that never change anything (``gateway drain`` only waits)."""


def refusal(role: Role, command: str, force: bool) -> str | None:
    """Why ``role`` may not give ``command``; None when it may."""
    allowed = PERMITTED.get(command, frozenset())
    if role not in allowed:
        return f"role {role} may not {command}; it takes {_names(allowed)}"
    if force and role not in FORCE:
        return f"role {role} may not use --force; it takes {_names(FORCE)}"
    return None


def _names(roles: frozenset[Role]) -> str:
    return " or ".join(role for role in Role if role in roles) or "nobody"
