"""What the mail spool declares about itself."""

from pathlib import Path

from targets.brokerage.declaration import Book, Component, Served

MAIL = Component(
    name="mail",
    start=Served("targets.brokerage.mail.service"),
    needs=("postgres",),
    ports=("mail",),
    http="mail",
    scraped=True,
    direct=("postgres",),
    books=(Book("notices", "targets.brokerage.mail.books", tells_of=("oms",)),),
    rules=Path(__file__).with_name("rules.yml"),
    volumes=("spool",),
)
