"""Cutting a service off without leave to touch the network: every link that it is an end of goes silent.

What a proxy can do to a link it does to its data: both directions are held back (toxic ``timeout``, 0 ms) on the
connections that are there and on new ones. It still accepts these, where a real partition would not answer a SYN. What
passes through no proxy is not cut.
"""

from __future__ import annotations

from collections.abc import Mapping

from targets.target import Cut, Link, Proxies, TargetError

STREAMS = ("upstream", "downstream")
HOW = (
    "each of its links goes silent both ways at its proxy; new connections are still accepted there, where a real"
    " partition leaves the SYN unanswered, and all are closed when it ends, where after a real one they could go on"
)


def cut(links: Mapping[str, Link], proxies: Proxies, service: str, passing: tuple[str, ...]) -> Cut:
    """The toxics that it takes and those that are there; TargetError where the service is at the end of no link."""
    mine = _of(links, service)
    wanted = frozenset(f"{link}/{_toxic(service, stream)}" for link in mine for stream in STREAMS)
    there = frozenset(f"{link}/{name}" for link in mine for name in proxies.toxics(link))
    return Cut(HOW, mine, passing, wanted, wanted & there)


def disconnect(links: Mapping[str, Link], proxies: Proxies, service: str) -> None:
    """Add the toxics that are missing."""
    for link in _of(links, service):
        there = proxies.toxics(link)
        for stream in STREAMS:
            if _toxic(service, stream) not in there:
                proxies.add_toxic(link, _toxic(service, stream), "timeout", stream, 1.0, {"timeout": 0})


def connect(links: Mapping[str, Link], proxies: Proxies, service: str) -> None:
    """Remove them all, unseen: a proxy that hangs when it is asked for its list knows a way out of a removal."""
    for link in _of(links, service):
        for stream in STREAMS:
            proxies.remove_toxic(link, _toxic(service, stream))


def _of(links: Mapping[str, Link], service: str) -> tuple[str, ...]:
    mine = tuple(sorted(name for name, link in links.items() if service in link.ends))
    if not mine:
        raise TargetError(f"{service} is at the end of no link: it cannot be cut off")
    return mine


def _toxic(service: str, stream: str) -> str:
    """Two services at the ends of one link can be cut off at the same time."""
    return f"kunren-partition-{service}-{stream}"
