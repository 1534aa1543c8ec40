"""The books that a stack can show: the exchange's and the bank's own, and the brokerage's statements about itself."""

from __future__ import annotations

from importlib import import_module

from targets.brokerage.bookfile import Row
from targets.brokerage.config import Config
from targets.brokerage.topology import TOPOLOGY


def read_book(config: Config, name: str) -> list[Row]:
    """The rows of a book as of now. KeyError for an unknown name; psycopg.Error or OSError when it cannot be read."""
    rows: list[Row] = import_module(TOPOLOGY.books[name].module).read_book(config)
    return rows
