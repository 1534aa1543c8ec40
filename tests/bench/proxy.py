"""The embedded proxy beside the real Toxiproxy and no proxy at all: in turns, as medians and ratios.

    python tests/bench/proxy.py [--rounds 5] [--seconds 0.5]

In each round every figure is taken directly, through the embedded proxy and through the real one, one after the
other, so that what else the machine does meets all three. A ratio is that of the medians; beside it the smallest and
the largest ratio of a round. Who asks, server and proxy share the cores, so requests a second tell of all three and of
who gets a core; a proxy's processor time per request tells of that proxy alone.

What a proxy adds is measured at one request a millisecond, answered or not, which both carry with ease: with every
connection asking at once it would be the reciprocal of requests a second.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # run as a script, this folder alone would be searched

import psutil
import uvloop

from targets.ports import claim_block
from targets.proxy_engine import engine_command, original_command
from targets.toxiproxy import ToxiproxyClient
from tests.bench import traffic
from tests.faults.proxy.original import NotHereError, program

AT = (1, 10, 100)
"""Connections."""
ROUND_TRIPS = 1_000
BUSY = 0.9
"""Of a core: who asks is the limit from here on."""
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Way:
    """A way to the server: ``direct`` or a proxy's name, the ports that lead there, and who to ask for its time."""

    name: str
    version: str
    http: int
    bulk: int
    process: psutil.Process | None = None

    def used(self) -> float:
        """Processor seconds of the proxy so far."""
        times = self.process.cpu_times() if self.process else None
        return times.user + times.system if times else 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; ``wanted`` is the ratio to reach, ``more`` whether more is better."""

    key: str
    title: str
    form: str = ",.0f"
    wanted: float | None = None
    more: bool = False


def connections(count: int) -> str:
    return f"{count} connection{'s' * (count > 1)}"


ROWS = (
    *(Row(f"rate{count}", f"requests/s, {connections(count)}", wanted=2.0, more=True) for count in AT[1:]),
    *(Row(f"cpu{count}", f"  proxy CPU us per request, at {count}", ",.1f") for count in AT[1:]),
    Row("p50", "round trip p50, us, 1 connection", wanted=0.5),
    Row("p99", "round trip p99, us, 1 connection", wanted=0.5),
    *(Row(f"added{count}", f"p50 added at {connections(count)}, us") for count in AT),
    Row("bulk", "bulk MB/s, 1 connection"),
    Row("bulk_cpu", "  proxy CPU us per MB"),
)


def measure_rate(way: Way, seconds: float) -> Figures:
    found: Figures = {}
    for count in AT[1:]:
        used, mine, began = way.used(), time.process_time(), time.perf_counter()
        rate = uvloop.run(traffic.back_to_back(way.http, count, seconds))
        found[f"rate{count}"] = rate
        found[f"cpu{count}"] = (way.used() - used) / (rate * seconds) * 1e6
        found[f"asking{count}"] = (time.process_time() - mine) / (time.perf_counter() - began)
    return found


def measure_round_trip(way: Way, seconds: float) -> Figures:
    times = traffic.round_trips(way.http, ROUND_TRIPS)
    return {"p50": statistics.median(times) * 1e6, "p99": statistics.quantiles(times, n=100)[98] * 1e6}


def measure_bulk(way: Way, seconds: float) -> Figures:
    used = way.used()
    megabytes_s = traffic.bulk(way.bulk, seconds)
    return {"bulk": megabytes_s, "bulk_cpu": (way.used() - used) / (megabytes_s * seconds) * 1e6}


def measure_paced(way: Way, seconds: float) -> Figures:
    return {
        f"paced{count}": statistics.median(uvloop.run(traffic.paced(way.http, count, seconds))) * 1e6 for count in AT
    }


MEASURES: tuple[Callable[[Way, float], Figures], ...] = (
    measure_rate,
    measure_round_trip,
    measure_bulk,
    measure_paced,
)


def one_round(ways: list[Way], seconds: float) -> dict[str, Figures]:
    """Way -> figures; what a proxy adds is the difference to the direct way of the same round."""
    found: dict[str, Figures] = {way.name: {} for way in ways}
    for measure in MEASURES:
        for way in ways:
            found[way.name] |= measure(way, seconds)
    for figures in found.values():
        for count in AT:
            figures[f"added{count}"] = figures[f"paced{count}"] - found["direct"][f"paced{count}"]
    return found


def show(rounds: list[dict[str, Figures]], names: list[str]) -> None:
    base = "real" if "real" in names else "direct"
    print(f"{'':34}" + "".join(f"{name:>10}" for name in names) + f"{f'embedded/{base}':>16}  (in one round)")
    for row in ROWS:
        print(line(row, rounds, names, base))
    print(asking(rounds, names))


def asking(rounds: list[dict[str, Figures]], names: list[str]) -> str:
    """Whether who asks was the limit: it needs a core for itself then, or a proxied rate comes near the direct one."""
    key = f"{AT[-1]}"
    share = max(statistics.median(found[name][f"asking{key}"] for found in rounds) for name in names[1:])
    times = min(
        statistics.median(found["direct"][f"rate{key}"] / found[name][f"rate{key}"] for found in rounds)
        for name in names[1:]
    )
    limit = "the limit" if share >= BUSY or times < 1.2 else "not the limit"
    return (
        f"who asks is {limit}: {share:.2f} of a core behind a proxy; directly it gets {times:.1f} times as many answers"
    )


def line(row: Row, rounds: list[dict[str, Figures]], names: list[str], base: str) -> str:
    def ratio(figures: Mapping[str, float]) -> float | None:
        return figures["embedded"] / figures[base] if figures[base] > 0 else None

    each = [{name: found[name][row.key] for name in names} for found in rounds]
    middle = {name: statistics.median(figures[name] for figures in each) for name in names}
    shown = "".join(f"{middle[name]:>10{row.form}}" for name in names)
    of_rounds = [found for figures in each if (found := ratio(figures)) is not None]
    if (whole := ratio(middle)) is None:
        return f"{row.title:34}{shown}"
    text = f"{row.title:34}{shown}{whole:>16.2f}  ({min(of_rounds):.2f} to {max(of_rounds):.2f})"
    if row.wanted is None or base != "real":
        return text
    reached = whole >= row.wanted if row.more else whole <= row.wanted
    return f"{text}  wanted {'>=' if row.more else '<='} {row.wanted}: {'yes' if reached else 'NO'}"


def machine() -> str:
    model = next(
        (text.split(":")[1].strip() for text in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in text),
        platform.machine(),
    )
    return (
        f"{model}, {psutil.cpu_count()} cores, {platform.system()} {platform.release()},"
        f" load {os.getloadavg()[0]:.1f} at the start"
    )


def cores_used() -> float:
    """Processor seconds that everybody but this bench has used."""
    whole = psutil.cpu_times()
    mine = [each.cpu_times() for each in (psutil.Process(), *psutil.Process().children(recursive=True))]
    # guest time is part of user time; iowait is idle
    busy = whole.user + whole.nice + whole.system + whole.irq + whole.softirq + whole.steal
    return busy - sum(times.user + times.system for times in mine)


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


@contextmanager
def proxy(name: str, argv: list[str], ports: tuple[int, ...], http: int, bulk: int) -> Iterator[Way]:
    api, listen_http, listen_bulk = ports
    # What it logs is not wanted: nothing is logged for bytes that pass.
    with ended(subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)) as process:
        client = ToxiproxyClient("127.0.0.1", api)
        client.wait_ready(10, process.pid)
        client.create("http", f"127.0.0.1:{listen_http}", f"127.0.0.1:{http}")
        client.create("bulk", f"127.0.0.1:{listen_bulk}", f"127.0.0.1:{bulk}")
        yield Way(name, client.engine(), listen_http, listen_bulk, psutil.Process(process.pid))


@contextmanager
def ways(real: Path | None) -> Iterator[list[Way]]:
    """The server, and every way to it."""
    block = claim_block(8)
    http, bulk = block.ports[:2]
    argv = [sys.executable, traffic.__file__, str(http), str(bulk)]
    with ended(subprocess.Popen(argv, stdout=subprocess.PIPE)) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        direct = Way("direct", "no proxy", http, bulk)
        ports = block.ports[2:5]
        with proxy("embedded", engine_command("embedded", ports[0]), ports, http, bulk) as embedded:
            if real is None:
                yield [direct, embedded]
                return
            ports = block.ports[5:8]
            with proxy("real", original_command(real, ports[0]), ports, http, bulk) as other:
                yield [direct, embedded, other]


def real_program() -> Path | None:
    """The real server, compiled the first time, or one line that says why there is none."""
    try:
        return program()
    except NotHereError as error:
        print(f"no real Toxiproxy to compare with: {error}", flush=True)
        return None


def main() -> None:
    parser = argparse.ArgumentParser(description="The embedded proxy beside the real Toxiproxy and no proxy at all.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each figure in each round")
    asked = parser.parse_args()
    print(machine())
    with ways(real_program()) as there:
        names = [way.name for way in there]
        print(f"{', '.join(f'{way.name}: {way.version}' for way in there)}; medians of {asked.rounds} rounds in turns")
        one_round(there, 0.1)  # warm
        before, began = cores_used(), time.perf_counter()
        rounds = [one_round(there, asked.seconds) for _ in range(asked.rounds)]
        others = (cores_used() - before) / (time.perf_counter() - began)
    show(rounds, names)
    print(f"other programs used {others:.2f} of {psutil.cpu_count()} cores meanwhile: with less of that, other ratios")


if __name__ == "__main__":
    main()
