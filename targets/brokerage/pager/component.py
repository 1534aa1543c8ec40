"""What the pager declares about itself."""

from targets.brokerage.declaration import Component, Container, Folder, Served

PAGER = Component(
    name="pager",
    start=Served("targets.brokerage.pager.service"),
    ports=("pager",),
    http="pager",
    # Also the operators' host: brokerctl is run in there. It alone may write to the stack's folder (audit log, the
    # pager's rows).
    container=Container(folder=Folder.WRITE),
)
