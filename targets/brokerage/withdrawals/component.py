"""What withdrawals declare about themselves."""

from pathlib import Path

from targets.brokerage.declaration import Book, Component, Link, Served

WITHDRAWALS = Component(
    name="withdrawals",
    start=Served("targets.brokerage.withdrawals.process"),
    needs=("postgres", "bank"),
    ports=("withdrawals",),
    http="withdrawals",
    scraped=True,
    links=(Link("withdrawals-pg", "postgres"), Link("withdrawals-bank", "bank")),
    books=(Book("withdrawals", "targets.brokerage.withdrawals.books", tells_of=("bank",)),),
    rules=Path(__file__).with_name("rules.yml"),
    volumes=("withdrawals",),
)
