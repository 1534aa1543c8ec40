"""What the gateway declares about itself."""

from pathlib import Path

from targets.brokerage.declaration import Component, Link, Served

GATEWAY = Component(
    name="gateway",
    start=Served("targets.brokerage.gateway.process"),
    needs=("postgres", "exchange"),
    ports=("gateway",),
    http="gateway",
    scraped=True,
    links=(Link("gateway-pg", "postgres"), Link("exchange-a", "exchange_a"), Link("exchange-b", "exchange_b")),
    tables="targets.brokerage.gateway.books",
    rules=Path(__file__).with_name("rules.yml"),
)
