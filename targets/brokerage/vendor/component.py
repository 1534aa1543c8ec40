"""What the certificate vendor declares about itself."""

from targets.brokerage.declaration import Component, Served

VENDOR = Component(
    name="vendor",
    start=Served("targets.brokerage.vendor.service"),
    needs=("edge",),
    ports=("vendor",),
    http="vendor",
    scraped=True,
    operators=False,
    direct=("edge",),
    volumes=("vendor",),
)
