"""What the bank declares about itself."""

from targets.brokerage.declaration import Component, Served

BANK = Component(
    name="bank",
    start=Served("targets.brokerage.bank.service"),
    ports=("bank",),
    http="bank",
    scraped=True,
    operators=False,
    volumes=("bank",),
)
