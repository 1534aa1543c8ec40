"""The names by which customers come to the edge, as in the brokerage's zone; each has a certificate of its own."""

from __future__ import annotations

from typing import Literal, get_args

ServerName = Literal["www.kunren.example", "app.kunren.example"]

NAMES: tuple[ServerName, ...] = get_args(ServerName)

USUAL: ServerName = "www.kunren.example"
"""Whose certificate is shown to who asks for no name; it is good for the edge's addresses as well."""
