"""The prices at the exchange, a line for each change of one; none where none moves."""

from __future__ import annotations

from pathlib import Path

from targets.brokerage.bookfile import BookWriter, Row, read_lines
from targets.brokerage.config import Config
from targets.brokerage.exchange.market import Market


def book_file(folder: Path) -> Path:
    """Where it lies in a stack's folder."""
    return folder / "exchange" / "market.jsonl"


def read_book(config: Config) -> list[Row]:
    """Its rows as of now; OSError when it cannot be read."""
    return read_lines(book_file(Path(config.folder)))


class Ticker:
    """Writes down each change of a price."""

    def __init__(self, config: Config, market: Market) -> None:
        self._market = market
        self._last: dict[str, int] = {}
        self._book = BookWriter(book_file(Path(config.folder)))

    def look(self, now: int) -> None:
        """Prices as of ``now`` (ns)."""
        for instrument in self._market.moving:
            price = self._market.price(instrument, now)
            if self._last.get(instrument.code) != price:
                self._last[instrument.code] = price
                self._book.write({"kind": "market-price", "t_ns": now, "id": instrument.code, "price": price})

    def close(self) -> None:
        """Close the book."""
        self._book.close()
