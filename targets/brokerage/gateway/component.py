"""What the gateway declares about itself."""

from targets.brokerage.declaration import Component, Link, Served

GATEWAY = Component(
    name="gateway",
    start=Served("targets.brokerage.gateway.process"),
    needs=("postgres", "exchange"),
    ports=("gateway",),
    http="gateway",
    scraped=True,
    links=(Link("gateway-pg", "postgres"), Link("exchange-a", "exchange_a"), Link("exchange-b", "exchange_b")),
)
