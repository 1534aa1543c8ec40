"""The judge against a plain NumPy pass over the same columns: throughput side by side, and peak memory.

    python tests/bench/judge.py [--rows 1000000 5000000 20000000] [--repeat 3]

The plain pass is what anybody would write who has the memory: load the columns, one mask a question, each question
asked once (good, bad and open requests, loss by service, lateness, first and last bad request). It knows nothing of
degradation windows. Both read the same files in turn, from the page cache, each in a process of its own. The ratio is
that of CPU seconds: with other work on the machine the wall tells of that work.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))  # run as a script, this folder alone would be searched

LEAST_RATIO = 0.8
MOST_MIB = 512
TIMEOUT_S = 600


def plain(folder: Path) -> dict[str, Any]:
    import numpy as np

    from drills.record.history import NS, OUTCOMES, RequestOutcome
    from tests.bench.folder import SERVICES

    intended, sent, done, outcome, name, key = (
        np.load(folder / "samples" / f"{column}.npy")
        for column in ("intended", "sent", "done", "outcome", "name", "key")
    )
    until = json.loads((folder / "run.json").read_bytes())["end"]["t"]
    assert (np.diff(intended) >= 0).all()
    assert len(key) == len(intended)
    code = {outcome: number for number, outcome in enumerate(OUTCOMES)}
    judged = intended < until
    answered = (outcome == code[RequestOutcome.OK]) | (outcome == code[RequestOutcome.REJECT])
    good = judged & answered & (done > 0) & (done - intended <= NS)
    dropped = judged & (outcome == code[RequestOutcome.DROPPED])
    unsure = judged & ((outcome == code[RequestOutcome.TIMEOUT]) | (outcome == code[RequestOutcome.UNKNOWN]))
    late = np.maximum(sent - intended, 0)[judged & (sent > 0)]
    rank = -(-99 * len(late) // 100) - 1
    lost, spans = {}, {}
    for number, (service, rate) in enumerate(SERVICES.items()):
        bad = judged & (name == number) & ~good & ~dropped
        at = np.flatnonzero(bad)
        lost[service] = len(at) / rate
        spans[service] = (int(intended[at[0]]), int(done[at[-1]])) if len(at) else None
    return {
        "good": int(good.sum()), "dropped": int(dropped.sum()), "indeterminate": int(unsure.sum()),
        "lateness_p99_ns": int(np.partition(late, rank)[rank]), "lost": lost, "spans": spans,
    }  # fmt: skip


def judge(folder: Path) -> dict[str, Any]:
    from drills.cards import judge

    card, history = judge(folder)
    load = card.load
    return {
        "good": load.good, "dropped": load.dropped, "indeterminate": load.indeterminate,
        "lateness_p99_ms": load.lateness_p99_ms, "verdict": card.verdict,
        "lost": {name: card.value("service_s", of=name) for name in history.plan.services},
    }  # fmt: skip


def once(how: str, folder: Path) -> None:
    """In a process of its own: import first, then time; print what was found, how long it took, the peak in MiB."""
    import drills.judge  # noqa: F401
    import tests.bench.folder  # noqa: F401

    start, used = time.perf_counter(), time.process_time()
    found = {"plain": plain, "judge": judge}[how](folder)
    took, used = time.perf_counter() - start, time.process_time() - used
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(json.dumps({"found": found, "wall": took, "cpu": used, "mib": int(peak.split()[1]) / 1024}))


def measure(how: str, folder: Path) -> dict[str, Any]:
    argv = [sys.executable, str(Path(__file__)), "--once", how, str(folder)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    return dict(json.loads(done.stdout))


def agree(one: dict[str, Any], other: dict[str, Any]) -> None:
    """A fast judge that finds something else is no judge."""
    assert {key: one[key] for key in ("good", "dropped", "indeterminate")} == {
        key: other[key] for key in ("good", "dropped", "indeterminate")
    }
    assert abs(one["lateness_p99_ns"] / 1e6 - other["lateness_p99_ms"]) < 0.001
    assert all(abs(one["lost"][name] - other["lost"][name]) < 0.001 for name in one["lost"])


def table(rows: list[int], repeat: int) -> bool:
    fine = True
    print(f"judge against a plain NumPy pass, best of {repeat}, in turns")
    print(f"{'':>12} {'plain':>20} {'judge':>20} {'ratio':>6} {'peak MiB':>16}")
    print(
        f"{'samples':>12} {'cpu s':>10}{'wall s':>10} {'cpu s':>10}{'wall s':>10} {'cpu':>6} {'plain':>8}{'judge':>8}"
    )
    for count in rows:
        with TemporaryDirectory(prefix="kunren-bench-") as scratch:
            folder = Path(scratch) / "run"
            subprocess.run(
                [sys.executable, str(Path(__file__)), "--make", str(count), str(folder)], check=True, timeout=TIMEOUT_S
            )
            pairs = [(measure("plain", folder), measure("judge", folder)) for _ in range(repeat)]
        for one, other in pairs:
            agree(one["found"], other["found"])
        best = [{unit: min(pair[side][unit] for pair in pairs) for unit in ("cpu", "wall")} for side in (0, 1)]
        peak = [max(pair[side]["mib"] for pair in pairs) for side in (0, 1)]
        ratio = best[0]["cpu"] / best[1]["cpu"]
        fine &= peak[1] < MOST_MIB and ratio >= LEAST_RATIO
        times = " ".join(f"{each['cpu']:>10.3f}{each['wall']:>10.3f}" for each in best)
        print(f"{count:>12,} {times} {ratio:>6.2f} {peak[0]:>8.0f}{peak[1]:>8.0f}", flush=True)
    print(f"wanted: ratio >= {LEAST_RATIO}, judge < {MOST_MIB} MiB: {'yes' if fine else 'NO'}")
    return fine


def main() -> int:
    parser = argparse.ArgumentParser(description="The judge against a plain NumPy pass.")
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 5_000_000, 20_000_000])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--once", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--make", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.once:
        once(asked.once[0], Path(asked.once[1]))
        return 0
    if asked.make:
        from tests.bench.folder import make

        make(Path(asked.make[1]), int(asked.make[0]))
        return 0
    return 0 if table(asked.rows, asked.repeat) else 1


if __name__ == "__main__":
    sys.exit(main())
