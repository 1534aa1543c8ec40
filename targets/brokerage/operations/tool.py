"""All commands of ``brokerctl``: what carries each of them out, and the tool as data."""

from __future__ import annotations

from targets.brokerage.operations import (
    batch,
    cert,
    crowd,
    edge,
    host,
    numbers,
    overview,
    relay,
    services,
    session,
    synthetic,
    volume,
)
from targets.brokerage.roles import Role
from targets.operator_tool import OperatorTool

_PARTS = (services, session, host, batch, edge, cert, relay, volume, synthetic, numbers, crowd)

OPERATIONS = (*overview.OPERATIONS, *(operation for part in _PARTS for operation in part.OPERATIONS))

NOUNS = {noun: says for part in _PARTS for noun, says in part.NOUNS.items()}
"""Noun -> what its commands are about, where they have a verb."""

TOOL = OperatorTool(
    name="brokerctl",
    roles=tuple(Role),
    commands=tuple(operation.command for operation in OPERATIONS),
    given=("--role", "--env", "--stack", "--json"),
)
