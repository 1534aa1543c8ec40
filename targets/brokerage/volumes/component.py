"""What keeps the limited volumes of a stack of processes; containers have volumes of the engine."""

from targets.brokerage.declaration import Component, Program

VOLUMES = Component(
    name="volumes",
    start=Program("targets.brokerage.volumes.keeping"),
    health="",
    service=False,
    container=None,
)
