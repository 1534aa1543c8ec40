"""What the night batch declares about itself."""

from pathlib import Path

from targets.brokerage.declaration import Component, Link, Served

BATCH = Component(
    name="batch",
    start=Served("targets.brokerage.batch.process"),
    needs=("postgres", "valuation", "gateway"),
    ports=("batch",),
    http="batch",
    scraped=True,
    links=(Link("batch-pg", "postgres"), Link("batch-valuation", "valuation")),
    direct=("gateway", "postgres"),  # PostgreSQL for the watch on locks: it must not depend on the batch's own link
    tables="targets.brokerage.batch.books",
    rules=Path(__file__).with_name("rules.yml"),
)
