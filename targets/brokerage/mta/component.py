"""What the mail agent declares about itself. Nobody scrapes it: what it leaves undone shows in the spool."""

from targets.brokerage.declaration import Book, Component, Served
from targets.brokerage.mail.component import VOLUMES

MTA = Component(
    name="mta",
    start=Served("targets.brokerage.mta.service"),
    ports=("mta",),
    http="mta",
    books=(Book("notices", "targets.brokerage.mta.books", tells_of=("oms",)),),
    volumes=("delivered",),
    shares=tuple(each.name for each in VOLUMES),
)
