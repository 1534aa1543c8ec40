"""The mail agent: delivers what lies in the spool, a file after the other, each file name once whatever is killed.

A notice is *delivered* when its file exists in ``<stack>/delivered``. It is written aside and linked into place, and a
link that exists is never replaced; only then the file leaves the spool. Killed in between, the agent finds both and
removes the one in the spool. Two files of one notice under two names are two deliveries: it does not look inside.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, Counter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from targets.brokerage import serving
from targets.brokerage.config import Config
from targets.brokerage.mail.component import VOLUMES
from targets.brokerage.mail.spool import waiting
from targets.brokerage.mta.books import delivered_folder
from targets.brokerage.serving import Job, answer, for_operators

log = logging.getLogger("mta")

REFUSED = ".no-notice"
"""What is added to the name of a file that cannot be delivered."""

AT_A_TIME = 50
"""Files delivered before others get their turn."""


class Mta:
    """Implements ``serving.Service``."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.registry = CollectorRegistry()
        self._notices = Counter("mta_notices_total", "Notices delivered", registry=self.registry)
        self._spools = [Path(config.folder) / each.name for each in VOLUMES]
        self._delivered = delivered_folder(Path(config.folder))
        self._delivered.mkdir(exist_ok=True)

    def routes(self) -> Sequence[Route]:
        """For operators, and for who writes the spool."""
        return (Route("/ops/delivered", for_operators(self.config.token, self.delivered), methods=["GET"]),)

    def jobs(self) -> Sequence[Job]:
        """Delivering."""
        return (self._deliver,)

    def health(self) -> Mapping[str, Any]:
        """Whoever gets this answer knows that it does its rounds."""
        return {"delivered": str(self._delivered)}

    async def stop(self) -> None:
        """Nothing to give back."""

    async def delivered(self, _: Request) -> Response:
        """The names of all files that were delivered."""
        return answer(200, {"names": [each.name for each in waiting(self._delivered)]})

    async def _deliver(self) -> None:
        while True:
            found = sorted((file for spool in self._spools for file in waiting(spool)), key=_written)[:AT_A_TIME]
            for file in found:
                self._notices.inc(deliver(file, self._delivered, time.monotonic_ns()))
            await asyncio.sleep(0 if len(found) == AT_A_TIME else self.config.mta.poll_s)


def deliver(file: Path, folder: Path, t_ns: int) -> bool:
    """Deliver one file of the spool into ``folder``; False where one of that name was delivered before, or it is gone.

    Whatever is no notice stays in the spool under another name, and is not looked at again. OSError.
    """
    try:
        body = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except FileNotFoundError:  # an operator was quicker
        return False
    except msgspec.DecodeError as error:
        log.error("%s is no notice: %s", file.name, error)
        file.rename(file.with_name(f"{file.name}{REFUSED}"))
        return False
    aside = folder / f".{file.name}.{os.getpid()}"
    try:
        aside.write_bytes(msgspec.json.encode({"t_ns": t_ns, **body}))
        with contextlib.suppress(FileExistsError):
            os.link(aside, folder / file.name)
            return True
        return False
    finally:
        aside.unlink(missing_ok=True)
        file.unlink(missing_ok=True)


def _written(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def serve(config: Config, sockets: Mapping[str, socket.socket]) -> None:
    """Serve until SIGTERM; socket ``mta``."""
    mta = Mta(config)
    serving.serve(mta, mta.routes(), sockets["mta"])
