"""``make bench``: how long things take here, side by side in one run and as ratios where two are compared.

    python tests/bench/bench.py [--part run] [--part proxy] [--part throughput] [--part judge]

``run``: seconds from the command to steady load (cold: the database template made anew; warm), wall against mandatory
time, CPU and lateness. ``proxy``: a round trip directly and through the embedded proxy. ``throughput`` and
``judge``: see ``throughput.py`` and ``judge.py``.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).resolve().parent
KUNREN = Path(sys.executable).parent / "kunren"
ROUND_TRIPS = 3_000


def bench_run() -> None:
    with TemporaryDirectory(prefix="kunren-bench-") as folder:
        cache = {**os.environ, "KUNREN_CACHE": str(Path(folder) / "cache")}
        print(f"{'':6} {'steady load':>12} {'wall':>8} {'mandatory':>10} {'cpu':>8} {'lateness p99':>13}  verdict")
        for name in ("cold", "warm"):
            row = one_run(Path(folder) / name, cache)
            print(
                f"{name:6} {row['steady']:10.2f} s {row['wall']:6.1f} s {row['mandatory']:8.1f} s"
                f" {row['cpu']:6.1f} s {row['late']:10.1f} ms  {row['verdict']}"
            )


def one_run(runs: Path, environment: dict[str, str]) -> dict[str, Any]:
    before = os.times()
    argv = [
        KUNREN,
        "run",
        "exchange-link-down",
        "--arm",
        "no-fault",
        "--seed",
        "7",
        "--runs",
        runs,
        "--json",
        "-",
        "-q",
    ]
    began = time.monotonic_ns()
    done = subprocess.run(argv, env=environment, stdout=subprocess.PIPE, timeout=180, check=False)
    after, card = os.times(), json.loads(done.stdout)
    lines = (runs / card["run"] / "events.jsonl").read_text().splitlines()
    started = next(e for e in map(json.loads, lines) if (e["actor"], e["what"]) == ("load", "started"))
    return {
        "steady": (started["t"] - began) / 1e9,
        "wall": card["cost"]["wall_s"],
        "mandatory": card["cost"]["mandatory_s"],
        "cpu": after.children_user + after.children_system - before.children_user - before.children_system,
        "late": card["load"]["lateness_p99_ms"],
        "verdict": card["verdict"],
    }


def bench_proxy() -> None:
    from targets.ports import claim_block
    from targets.proxy_engine import engine_command
    from targets.toxiproxy import ToxiproxyClient

    block = claim_block()
    echo = socket.create_server(("127.0.0.1", block.ports[0]))
    threading.Thread(target=serve_echo, args=(echo,), daemon=True).start()
    engine = subprocess.Popen(engine_command("embedded", block.ports[1]), stdout=subprocess.DEVNULL)
    try:
        client = ToxiproxyClient("127.0.0.1", block.ports[1])
        client.wait_ready(10)
        client.create("echo", f"127.0.0.1:{block.ports[2]}", f"127.0.0.1:{block.ports[0]}")
        direct, through = round_trips(block.ports[0]), round_trips(block.ports[2])
    finally:
        engine.terminate()
        engine.wait(5)
    for name, times in (("direct", direct), ("embedded proxy", through)):
        print(f"{name:16} p50 {statistics.median(times) * 1e6:7.0f} us   p99 {quantile(times, 99) * 1e6:7.0f} us")
    print(f"{'ratio':16} p50 {statistics.median(through) / statistics.median(direct):7.2f}")


def serve_echo(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        with connection:
            while data := connection.recv(4096):
                connection.sendall(data)


def round_trips(port: int) -> list[float]:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return [round_trip(connection) for _ in range(ROUND_TRIPS)]


def round_trip(connection: socket.socket) -> float:
    began = time.perf_counter()
    connection.sendall(b"x" * 64)
    echoed = connection.recv(4096)
    assert len(echoed) == 64, f"echoed {len(echoed)} bytes"
    return time.perf_counter() - began


def quantile(times: list[float], percent: int) -> float:
    return statistics.quantiles(times, n=100)[percent - 1]


def bench_throughput() -> None:
    subprocess.run([sys.executable, HERE / "throughput.py"], check=True, timeout=300)


def bench_judge() -> None:
    subprocess.run([sys.executable, HERE / "judge.py"], check=False, timeout=900)


PARTS = {"run": bench_run, "proxy": bench_proxy, "throughput": bench_throughput, "judge": bench_judge}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="append", choices=PARTS, help="only this part (may be repeated)")
    for part in parser.parse_args().part or PARTS:
        print(f"== {part}", flush=True)
        PARTS[part]()


if __name__ == "__main__":
    main()
