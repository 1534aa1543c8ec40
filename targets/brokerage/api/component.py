"""What the api declares about itself."""

from pathlib import Path

from targets.brokerage.declaration import Book, Component, Link, Served

API = Component(
    name="api",
    start=Served("targets.brokerage.api.process"),
    needs=("postgres", "bank", "gateway", "withdrawals", "exchange"),
    ports=("api",),
    http="api",
    scraped=True,
    links=(Link("api-pg", "postgres"), Link("api-bank", "bank")),
    direct=("gateway", "withdrawals", "exchange_http"),
    books=(
        Book("counters", "targets.brokerage.api.counterbook"),
        Book("waiting-room", "targets.brokerage.api.roombook"),
    ),
    tables="targets.brokerage.api.books",
    rules=Path(__file__).with_name("rules.yml"),
    volumes=("api",),
)
