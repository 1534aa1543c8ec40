"""What the edge declares about itself."""

from pathlib import Path

from targets.brokerage.declaration import Component, Link, Served

EDGE = Component(
    name="edge",
    start=Served("targets.brokerage.edge.service"),
    needs=("relay",),
    ports=("edge", "edge_http"),
    http="edge_http",
    scraped=True,
    customers=Link("client-api", "edge"),
    direct=("relay",),
    rules=Path(__file__).with_name("rules.yml"),
)
