"""What a stack has before it serves anybody: certificates with their inventory, and the logs of the days before.

``furnish`` is done by who starts the stack, before anything of it runs; ``fill`` once the volumes are there, as a
program of its own where they are in containers alone: ``python -m targets.brokerage.furnishing``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from targets.brokerage.config import Config, load
from targets.brokerage.relay import history
from targets.brokerage.relay.books import BEGAN
from targets.brokerage.relay.component import LOG_VOLUME, RELAY
from targets.brokerage.volumes import keeping


def furnish(config: Config, addresses: Sequence[str]) -> None:
    """Into the stack's folder; ``addresses`` are those at which customers may come."""
    from targets.brokerage import certification  # who fills a volume need not load what makes certificates

    folder = Path(config.folder)
    certification.furnish(folder, addresses)
    keeping.prepare(folder)
    mark = folder / RELAY.volumes[0]
    (mark / BEGAN).write_text(f"{history.mark(mark, config.seed)}\n")


def fill(config: Config) -> None:
    """Onto the volumes. OSError."""
    history.fill(keeping.reached(Path(config.folder), LOG_VOLUME.name), config.seed)


if __name__ == "__main__":
    fill(load())
