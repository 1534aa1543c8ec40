"""What the exchange declares about itself."""

from targets.brokerage.declaration import Book, Component, Served
from targets.brokerage.wire import encode

EXCHANGE = Component(
    name="exchange",
    start=Served("targets.brokerage.exchange.server"),
    # Its sessions' ports are published too: who looks whether a link is broken compares with the far end itself.
    ports=("exchange_http", "exchange_a", "exchange_b"),
    http="exchange_http",
    scraped=True,
    operators=False,
    books=(
        Book("exchange", "targets.brokerage.exchange.books"),
        Book("market", "targets.brokerage.exchange.marketbook"),
    ),
    greetings={door: encode({"MsgType": "TestRequest", "TestReqID": "probe"}) for door in ("exchange_a", "exchange_b")},
    volumes=("exchange",),
)
