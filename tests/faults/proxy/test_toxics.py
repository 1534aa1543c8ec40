"""Each toxic, in each direction, on new and on present connections: both servers do the same to the same traffic.

What arrives, in which order, how each end ends, and whether it comes, comes late or never comes. A stall of the
machine can make a case look different once; it is run again alone then, with more patience, and counts as different
only if it stays so.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from .engines import Engine
from .wire import BULK, Case, Step, Toxic, watch

pytestmark = pytest.mark.real

PATIENCE_S = 0.45
AT_ONCE = 64
SCRIPTS: dict[str, tuple[Step, ...]] = {
    "ask": (
        Step("client", "send", b"one?"),
        Step("server", "send", b"one!"),
        Step("client", "send", b"second?"),
        Step("server", "send", b"second!"),
        Step("client", "close"),
    ),
    "bulk": (Step("client", "send", BULK), Step("server", "send", BULK[::-1]), Step("server", "close")),
    "the server ends": (Step("server", "send", b"0123456789"), Step("server", "close")),
    "the client ends": (Step("client", "send", b"0123456789"), Step("client", "close")),
    "the server resets": (Step("server", "send", b"x"), Step("server", "reset")),
    "the client resets": (Step("client", "send", b"x"), Step("client", "reset")),
    "a question": (Step("client", "send", b"question"), Step("server", "idle")),
    "an answer": (Step("server", "send", b"answer"), Step("client", "idle")),
    "nobody speaks": (Step("client", "idle"),),
}
OTHER_WAY = {  # what ends a connection without anything coming through a toxic of that stream
    "upstream": ("the server ends", "the server resets"),
    "downstream": ("the client ends", "the client resets"),
}
AT_TOXICITY_0 = ("ask", "bulk", "the server ends")

# Attributes, and from how many seconds on what they touch is late.
TOXICS: dict[str, list[tuple[dict[str, int], float | None]]] = {
    "noop": [({}, None)],
    "latency": [({"latency": 250}, 0.24), ({"latency": 200, "jitter": 80}, 0.11), ({"latency": 0, "jitter": 5}, None)],
    "bandwidth": [({"rate": 100}, 0.25), ({"rate": 0}, None), ({"rate": 100_000}, None)],
    "slow_close": [({"delay": 250}, 0.24), ({}, None)],
    "timeout": [({"timeout": 0}, None), ({"timeout": 250}, 0.24)],
    "reset_peer": [({"timeout": 0}, None), ({"timeout": 250}, 0.24)],
    "slicer": [
        ({"average_size": 1000, "size_variation": 100, "delay": 10_000}, 0.2),
        ({"average_size": 50, "size_variation": 10, "delay": 0}, None),
    ],
    "limit_data": [({"bytes": 0}, None), ({"bytes": 6}, None), ({"bytes": 1_000_000}, None)],
}


def cases(kind: str, stream: str) -> Iterator[Case]:
    """All of one toxic in one direction, but those that are in ``test_differences.py``."""
    for (attributes, late_s), script, toxicity, present in itertools.product(
        TOXICS[kind], SCRIPTS, (1, 0), (False, True)
    ):
        if toxicity == 0 and (script not in AT_TOXICITY_0 or attributes != TOXICS[kind][0][0]):
            continue
        if kind == "reset_peer" and (present != (toxicity == 0) or script in OTHER_WAY[stream]):
            continue
        age = "present" if present else "new"
        name = f"{kind} {attributes} {stream} toxicity {toxicity}, {script}, {age} connection"
        yield Case(name, (Toxic(kind, stream, toxicity, attributes),), SCRIPTS[script], present, late_s)


def differing(engines: tuple[Engine, Engine], all_cases: list[Case]) -> list[str]:
    """The cases in which the two differ each time, and how."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        pending = [[pool.submit(watch, engine, case, PATIENCE_S) for engine in engines] for case in all_cases]
        pairs = [[each.result() for each in pair] for pair in pending]
    doubtful = [case for case, (theirs, ours) in zip(all_cases, pairs, strict=True) if theirs != ours]
    return [said for case in doubtful if (said := differs_alone(engines, case))]


def differs_alone(engines: tuple[Engine, Engine], case: Case) -> str:
    for _ in range(2):
        theirs, ours = (watch(engine, case, 2 * PATIENCE_S) for engine in engines)
        if theirs == ours:
            return ""
    return f"{case.name}\n  original: {theirs}\n  embedded: {ours}"


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
@pytest.mark.parametrize("kind", TOXICS)
def test_a_toxic_does_the_same_in_both(engines: tuple[Engine, Engine], kind: str, stream: str) -> None:
    found = differing(engines, list(cases(kind, stream)))
    assert not found, "\n".join(found)
