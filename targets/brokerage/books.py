"""The books that a stack can show: the exchange's and the bank's own, and the brokerage's statements about itself.

``python -m targets.brokerage.books NAME`` prints one, a row a line, from where files are that are not seen elsewhere.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module

from targets.brokerage.bookfile import Row
from targets.brokerage.config import Config, load
from targets.brokerage.topology import TOPOLOGY


def read_book(config: Config, name: str) -> list[Row]:
    """The rows of a book as of now. KeyError for an unknown name; psycopg.Error or OSError when it cannot be read."""
    rows: list[Row] = import_module(TOPOLOGY.books[name].module).read_book(config)
    return rows


if __name__ == "__main__":
    for row in read_book(load(), sys.argv[1]):
        sys.stdout.write(json.dumps(row) + "\n")
