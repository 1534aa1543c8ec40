"""What the mail spool declares about itself."""

from targets.brokerage.declaration import Component, Served

MAIL = Component(
    name="mail",
    start=Served("targets.brokerage.mail.service"),
    needs=("postgres",),
    ports=("mail",),
    http="mail",
    scraped=True,
    direct=("postgres",),
    volumes=("spool",),
)
