"""What the exchange declares about itself."""

from targets.brokerage.declaration import Book, Component, Served

EXCHANGE = Component(
    name="exchange",
    start=Served("targets.brokerage.exchange.server"),
    # Its sessions' ports are published too: who looks whether a link is broken compares with the far end itself.
    ports=("exchange_http", "exchange_a", "exchange_b"),
    http="exchange_http",
    scraped=True,
    operators=False,
    books=(Book("exchange", "targets.brokerage.exchange.books"),),
    volumes=("exchange",),
)
