"""How a closed door looks from this machine: at the port published on 127.0.0.1, and at the container's own address.

``python tests/bench/refusals.py`` brings one stack of ``--target compose`` up, breaks its customers' link in the ways
that faults do, and tries ``TRIES`` connections each way; prints how many ended how, and the time of a good answer.
With Docker's userland proxy (the engine's default) the two columns differ; without it they must not.
"""

from __future__ import annotations

import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # run as a script, this folder alone would be searched

from loadprofiles.connection import Connection, Server, failure_of
from loadprofiles.profiles import Patience
from targets.compose import CONTAINERS
from targets.containers.engine import shared
from targets.runtime import Request
from targets.target import Startable, offered

TRIES = 50
PATIENCE = Patience(connect_s=0.3, total_s=0.6)
LINK, SERVICE = "relay-api", "api"


def tried(host: str, port: int) -> tuple[str, float]:
    """What a customer would note of one request on a fresh connection, and how long it took in ms."""
    began = time.perf_counter()
    connection = Connection(Server(host, port), PATIENCE)
    try:
        status, _ = connection.ask("GET", "/healthz", b"", {})
        says = f"answer {status}"
    except BaseException as error:  # noqa: BLE001  # a gevent time-out is no Exception
        says = failure_of(error).name.lower()
    finally:
        connection.close()
    return says, (time.perf_counter() - began) * 1000


def column(host: str, port: int) -> str:
    """Outcomes with their numbers, and the median time of one."""
    seen = [tried(host, port) for _ in range(TRIES)]
    counts = ", ".join(f"{word} {n}" for word, n in Counter(word for word, _ in seen).most_common())
    return f"{counts}; {statistics.median(ms for _, ms in seen):.2f} ms"


def bridge(target: Startable, service: str) -> str:
    """The container's address on the stack's network."""
    (found,) = shared().containers.list(
        filters={"label": [f"kunren.drill-target={Path(target.intent().stack).name}",
                           f"com.docker.compose.service={service}"]}
    )  # fmt: skip
    (network,) = found.attrs["NetworkSettings"]["Networks"].values()
    return str(network["IPAddress"])


def ways(target: Startable) -> list[tuple[str, Callable[[], None], Callable[[], None]]]:
    """What is broken, how, and how it is mended."""
    proxies, parting = target.proxies(), offered(target.partitioning, "way to cut a service off")
    return [
        ("nothing", lambda: None, lambda: None),
        ("the link is closed", lambda: proxies.set_enabled(LINK, False), lambda: proxies.set_enabled(LINK, True)),
        ("its service is dead", lambda: target.signal(SERVICE, signal.SIGKILL), lambda: target.start(SERVICE)),
        ("its service is paused", lambda: target.signal(SERVICE, signal.SIGSTOP),
         lambda: target.signal(SERVICE, signal.SIGCONT)),
        ("its service is cut off", lambda: parting.disconnect(SERVICE), lambda: parting.connect(SERVICE)),
    ]  # fmt: skip


def main() -> None:
    """Print a line per way and column."""
    with tempfile.TemporaryDirectory() as logs:
        wanted = Request("refusals", 7, "D3", None, CONTAINERS.compression, Path(logs))
        with CONTAINERS.make(wanted) as target:
            via = int(target.links()[LINK].listen.rpartition(":")[2])
            own = int(target.links()[LINK].upstream.rpartition(":")[2])
            addresses = {name: bridge(target, name) for name in ("toxiproxy", SERVICE)}
            for says, broken, mended in ways(target):
                broken()
                time.sleep(0.5)
                print(f"{says}: through the link, published:    {column('127.0.0.1', via)}")
                print(f"{says}: through the link, bridge:       {column(addresses['toxiproxy'], via)}")
                print(f"{says}: the service itself, published:  {column('127.0.0.1', own)}")
                print(f"{says}: the service itself, bridge:     {column(addresses[SERVICE], own)}", flush=True)
                mended()


if __name__ == "__main__":
    main()
