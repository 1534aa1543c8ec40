"""Rows about certificates, by who looks from outside: what was seen while it ran, and a last look at the end."""

from __future__ import annotations

from collections.abc import Mapping

from drills.record.books import Row


class ChainSeen(Row, frozen=True, kw_only=True, tag="chain-seen"):
    """From now on another chain is shown under ``name``: SHA-256 of its leaf (hex, empty: no handshake), its length.

    ``left_ms``: until the first of the chain ends, below 0 once it has.
    """

    listener: str
    name: str
    fingerprint: str
    left_ms: int
    length: int


class NameServed(Row, frozen=True, kw_only=True, tag="name-served"):
    """What a new handshake under ``name`` showed when the books were read, and why a customer refuses it, else empty.

    ``in_file`` is the leaf that lies where the edge takes it from, ``key_fits`` whether the key beside it is its own,
    ``listed`` the leaf that the inventory has, empty where it has none.
    """

    name: str
    fingerprint: str
    left_ms: int
    length: int
    refused: str
    in_file: str
    key_fits: bool
    listed: str


class ClientLook(Row, frozen=True, kw_only=True, tag="client-look"):
    """Whether a client of the brokerage's own, by its own settings, accepted a listener that nobody may trust."""

    client: str
    decoy: str
    accepted: bool


ROWS: Mapping[str, tuple[type[Row], ...]] = {"certificates": (ChainSeen, NameServed, ClientLook)}
"""Book -> its rows of this kind."""
