"""What the screens have in common that are redrawn on a terminal, and print lines where there is none."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live


class Redrawn:
    """A context manager. ``live`` is what is redrawn; None in a pipe, with ``TERM=dumb`` and where it is ``quiet``."""

    def __init__(self, console: Console, *, quiet: bool, transient: bool = False) -> None:
        shown = console.is_terminal and not quiet
        self.live = Live(console=console, transient=transient, auto_refresh=False) if shown else None

    def __enter__(self) -> Self:
        if self.live is not None:
            self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.live is not None:
            self.live.stop()
