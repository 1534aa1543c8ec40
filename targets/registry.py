"""The runtimes by the name that ``--target`` takes."""

from __future__ import annotations

from collections.abc import Callable

from targets.runtime import Runtime


class UnknownTarget(LookupError):
    """No runtime of this name."""


def _local() -> Runtime:
    from targets.embedded import EMBEDDED  # when first asked for: it brings the whole brokerage along

    return EMBEDDED


def _compose() -> Runtime:
    from targets.compose import CONTAINERS

    return CONTAINERS


RUNTIMES: dict[str, Callable[[], Runtime]] = {"local": _local, "compose": _compose}
"""Name -> how to get it."""


def runtime(name: str) -> Runtime:
    """The runtime called ``name``; UnknownTarget when there is none."""
    try:
        return RUNTIMES[name]()
    except KeyError:
        raise UnknownTarget(name) from None
