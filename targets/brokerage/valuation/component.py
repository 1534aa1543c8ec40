"""What the valuation service declares about itself."""

from targets.brokerage.declaration import Component, Served

VALUATION = Component(
    name="valuation",
    start=Served("targets.brokerage.valuation.service"),
    needs=("postgres",),
    ports=("valuation_http", "valuation"),
    http="valuation_http",
    scraped=True,
    direct=("postgres",),
)
