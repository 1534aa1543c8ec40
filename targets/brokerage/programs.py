"""What the parts without a folder of their own declare: PostgreSQL, the proxy server, and what runs the stack."""

import signal

from targets.brokerage.declaration import QUERIES, Book, Component, Container, Folder, Program, Served

POSTGRES = Component(
    name="postgres",
    start=Program("targets.brokerage.postgres", orphaned=signal.SIGQUIT),
    ports=("postgres",),
    health=QUERIES,
    books=(Book("oms", "targets.brokerage.databasebook", tells_of=("exchange", "bank", "transactions")),),
    volumes=("pgdata",),
    stop=signal.SIGINT,  # at SIGTERM it would wait for its clients to leave
    container=Container(image="postgres", compose={"shm_size": "128m", "mem_limit": "1g"}),
)

TOXIPROXY = Component(
    name="toxiproxy",
    start=Program("targets.brokerage.proxy"),
    ports=("toxiproxy",),
    http="toxiproxy",
    health="",  # nothing but the server is in its container; who drives it looks whether it answers
    proxies=True,
    service=False,
    container=Container(image="toxiproxy", command=("-port", "${PORT_TOXIPROXY}"), folder=Folder.HIDDEN),
)

LAUNCHER = Component(name="launcher", start=None, ports=("launcher",), health="", service=False, container=None)
"""Of a stack of processes; the engine does its work for containers."""

BROKERCTL = Component(
    name="brokerctl",
    start=Served("targets.brokerage.toolserver"),
    health="",
    service=False,
    container=None,
    within="pager",
)
"""What runs the robot operator's commands."""
