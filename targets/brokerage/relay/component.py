"""What the relay declares about itself."""

from pathlib import Path

from targets.brokerage.declaration import Book, Component, Link, Served, Volume

LOG_VOLUME = Volume("relay-log", kilobytes=3840, inodes=200)

RELAY = Component(
    name="relay",
    start=Served("targets.brokerage.relay.service"),
    needs=("api",),
    ports=("relay", "relay_http"),
    http="relay_http",
    scraped=True,
    links=(Link("relay-api", "api"),),
    books=(Book("transactions", "targets.brokerage.relay.books"),),
    rules=Path(__file__).with_name("rules.yml"),
    volumes=("relay",),
    limited=(LOG_VOLUME,),
)
