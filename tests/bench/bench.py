"""``make bench``: how long things take here, side by side in one run and as ratios where two are compared.

    python tests/bench/bench.py [--part run] [--part proxy] [--part judge] [--part front]

``run``: seconds from the command to steady load (cold: the database template made anew; warm), wall against mandatory
time, CPU and lateness. ``proxy``: the embedded proxy beside the real Toxiproxy, see ``proxy.py``. ``judge``: see
``judge.py``. ``front``: what TLS and the relay before the api cost, see ``front.py``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).resolve().parent
KUNREN = Path(sys.executable).parent / "kunren"


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
    subprocess.run([sys.executable, HERE / "proxy.py"], check=True, timeout=600)  # it may compile the real one first


def bench_judge() -> None:
    subprocess.run([sys.executable, HERE / "judge.py"], check=False, timeout=900)


def bench_front() -> None:
    subprocess.run([sys.executable, HERE / "front.py"], check=True, timeout=300)


PARTS = {"run": bench_run, "proxy": bench_proxy, "judge": bench_judge, "front": bench_front}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="append", choices=PARTS, help="only this part (may be repeated)")
    for part in parser.parse_args().part or PARTS:
        print(f"== {part}", flush=True)
        PARTS[part]()


if __name__ == "__main__":
    main()
