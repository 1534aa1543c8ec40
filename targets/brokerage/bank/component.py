"""What the bank declares about itself."""

from targets.brokerage.declaration import Book, Component, Served

BANK = Component(
    name="bank",
    start=Served("targets.brokerage.bank.service"),
    ports=("bank",),
    http="bank",
    scraped=True,
    operators=False,
    books=(Book("bank", "targets.brokerage.bank.books"),),
    volumes=("bank",),
)
