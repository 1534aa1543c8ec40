"""What the mail spool declares about itself."""

from pathlib import Path

from targets.brokerage.declaration import Book, Component, Served, Volume

SPOOL = Volume("mail-spool", kilobytes=40_960, inodes=800)
"""A file a notice: with some 200 bytes each, inodes are used up long before bytes."""
RESERVE = Volume("mail-reserve", kilobytes=40_960, inodes=5_000)
"""What the spool is extended by: operators have notices written there. The agent takes from both."""
VOLUMES = (SPOOL, RESERVE)

MAIL = Component(
    name="mail",
    start=Served("targets.brokerage.mail.process"),
    needs=("postgres",),
    ports=("mail",),
    http="mail",
    scraped=True,
    direct=("postgres", "mta"),
    books=(Book("spool", "targets.brokerage.mail.books"),),
    rules=Path(__file__).with_name("rules.yml"),
    volumes=("mail",),
    limited=VOLUMES,
)
