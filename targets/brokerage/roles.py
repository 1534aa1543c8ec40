"""The roles that ``brokerctl`` knows, and the groups of them that may run a command."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """Whose authority a command is given with; from least to most that it may do."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    DUTY_MANAGER = "duty-manager"


ANYONE = tuple(Role)
OPERATORS = (Role.OPERATOR, Role.DUTY_MANAGER)
MANAGERS = (Role.DUTY_MANAGER,)
