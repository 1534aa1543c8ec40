"""What the certificate vendor declares about itself."""

from pathlib import Path

from targets.brokerage.declaration import Book, Component, Served

VENDOR = Component(
    name="vendor",
    start=Served("targets.brokerage.vendor.service"),
    needs=("edge",),
    ports=("vendor",),
    http="vendor",
    scraped=True,
    operators=False,
    direct=("edge",),
    books=(Book("certificates", "targets.brokerage.vendor.books"),),
    rules=Path(__file__).with_name("rules.yml"),
    volumes=("vendor",),
)
