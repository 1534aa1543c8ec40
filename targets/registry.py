"""The runtimes by the name that ``--target`` takes, and who looks after what they have made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from targets.runtime import Cleanup, Runtime

if TYPE_CHECKING:
    from targets.compose import Containers
    from targets.description import Description
    from targets.embedded import Embedded


class UnknownTarget(LookupError):
    """No runtime of this name."""


def _local() -> Embedded:
    from targets.embedded import EMBEDDED  # when first asked for: it brings the whole brokerage along

    return EMBEDDED


def _described() -> Cleanup:
    from targets.described import DESCRIBED

    return DESCRIBED


def _compose() -> Containers:
    from targets.compose import CONTAINERS

    return CONTAINERS


RUNTIMES: dict[str, Callable[[], Runtime]] = {"local": _local, "compose": _compose}
"""Name -> how to get it."""

CLEANUPS: dict[str, Callable[[], Cleanup]] = {"local": _local, "compose": _compose, "described": _described}
"""What an ``Intent`` names -> who finds and ends such targets."""


def runtime(name: str) -> Runtime:
    """The runtime called ``name``; UnknownTarget when there is none."""
    try:
        return RUNTIMES[name]()
    except KeyError:
        raise UnknownTarget(name) from None


def described(description: Description, source: bytes) -> Runtime:
    """The runtime of a system that a target file describes; ``source`` are the file's bytes."""
    from targets.described import DescribedRuntime

    return DescribedRuntime(description, source)


def cleanup(name: str) -> Cleanup:
    """Who looks after the targets of this sort; UnknownTarget when there is nobody."""
    try:
        return CLEANUPS[name]()
    except KeyError:
        raise UnknownTarget(name) from None
