"""Any sequence of requests: both servers answer each alike and end in the same visible state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from .engines import Engine, comparable

pytestmark = pytest.mark.real

Machine = type["BothServers"]
LENGTH = 25
SEQUENCES = 80

names = st.sampled_from(["a", "b", "c"])
listens = st.sampled_from(
    ["127.0.0.1:0", "127.0.0.1:{P1}", "localhost:{P1}", "127.0.0.1:{P2}", "127.0.0.1:{TAKEN}", "x"]
)
upstreams = st.sampled_from(["127.0.0.1:9", "127.0.0.1:10", "nonsense"])
proxies = st.fixed_dictionaries(
    {"name": names, "listen": listens, "upstream": upstreams},
    optional={"enabled": st.sampled_from([True, False, None])},
)
changes = st.fixed_dictionaries(
    {}, optional={"listen": listens, "upstream": upstreams, "enabled": st.booleans(), "name": names}
)
toxic_names = st.sampled_from(["t", "u", "latency_downstream"])
numbers = st.one_of(st.integers(-3, 3), st.sampled_from([2**63 - 1, 2**63, 1.5, "1", None, True]))
shares = st.sampled_from([0, 1, 0.5, 0.25, -1, 7, None, "x"])
kinds = st.sampled_from(
    ["noop", "latency", "bandwidth", "slow_close", "timeout", "reset_peer", "slicer", "limit_data", "gremlin"]
)
# One attribute at a time where it may be refused: the original keeps the others of a refused change.
attributes = st.one_of(
    st.none(),
    st.sampled_from(["latency", "jitter", "rate", "timeout", "bytes", "LATENCY"]).flatmap(
        lambda name: st.fixed_dictionaries({name: numbers})
    ),
    st.fixed_dictionaries(
        {"average_size": st.integers(0, 9), "size_variation": st.integers(0, 9), "delay": st.just(1)}
    ),
)
toxics = st.fixed_dictionaries(
    {"type": kinds},
    optional={
        "name": toxic_names,
        "stream": st.sampled_from(["upstream", "downstream", "Upstream", "sideways"]),
        "toxicity": shares,
        "attributes": attributes,
    },
)
toxic_changes = st.fixed_dictionaries({}, optional={"toxicity": shares, "attributes": attributes})


def filled(body: Any, ports: dict[str, int]) -> Any:
    """The body with port numbers in it: each server has its own, since both listen at the same time."""
    if isinstance(body, list):
        return [filled(each, ports) for each in body]
    if not isinstance(body, dict) or "listen" not in body:
        return body
    return {**body, "listen": body["listen"].format(**ports)}


def sweep(engine: Engine) -> None:
    for name in engine.must("GET", "/proxies"):
        engine.must("DELETE", f"/proxies/{name}")


class BothServers(RuleBasedStateMachine):
    """Each rule is one request, made to both."""

    sides: tuple[tuple[Engine, dict[str, int]], tuple[Engine, dict[str, int]]]
    counted: list[str]

    @initialize()
    def empty(self) -> None:
        for engine, _ in self.sides:
            sweep(engine)

    def ask(self, method: str, path: str, body: Any = None) -> None:
        theirs, ours = (
            comparable(engine.call(method, path, filled(body, ports)), ports) for engine, ports in self.sides
        )
        self.counted.append(f"{method} {path}")
        assert ours == theirs

    @rule(body=proxies)
    def create(self, body: Any) -> None:
        self.ask("POST", "/proxies", body)

    @rule(name=names, body=changes, method=st.sampled_from(["POST", "PATCH"]))
    def change(self, name: str, body: Any, method: str) -> None:
        self.ask(method, f"/proxies/{name}", body)

    @rule(name=names)
    def delete(self, name: str) -> None:
        self.ask("DELETE", f"/proxies/{name}")

    @rule(bodies=st.lists(proxies, max_size=3))
    def populate(self, bodies: Any) -> None:
        self.ask("POST", "/populate", bodies)

    @rule(name=names, body=toxics)
    def add_toxic(self, name: str, body: Any) -> None:
        self.ask("POST", f"/proxies/{name}/toxics", body)

    @rule(name=names, toxic=toxic_names, body=toxic_changes, method=st.sampled_from(["POST", "PATCH"]))
    def change_toxic(self, name: str, toxic: str, body: Any, method: str) -> None:
        self.ask(method, f"/proxies/{name}/toxics/{toxic}", body)

    @rule(name=names, toxic=toxic_names)
    def remove_toxic(self, name: str, toxic: str) -> None:
        self.ask("DELETE", f"/proxies/{name}/toxics/{toxic}")

    @invariant()
    def the_same_state(self) -> None:
        self.ask("GET", "/proxies")

    @rule(name=names, toxic=toxic_names)
    def look(self, name: str, toxic: str) -> None:
        self.ask("GET", f"/proxies/{name}/toxics")
        self.ask("GET", f"/proxies/{name}/toxics/{toxic}")

    @rule()
    def reset(self) -> None:
        # Of several closed proxies of which one cannot be opened the original resets any number first.
        shown = self.sides[0][0].must("GET", "/proxies")
        if all(each["enabled"] for each in shown.values()) or len(shown) == 1:
            self.ask("POST", "/reset")


@pytest.fixture
def machine(engines: tuple[Engine, Engine], ports: Callable[[], dict[str, int]]) -> Iterator[Machine]:
    counted: list[str] = []
    original, embedded = engines
    sides = ((original, ports()), (embedded, ports()))

    class Prepared(BothServers):
        def __init__(self) -> None:
            super().__init__()
            self.sides, self.counted = sides, counted

    yield Prepared
    sweep(original)
    sweep(embedded)
    print(f"{len(counted)} requests compared in sequences")


def test_any_sequence_of_requests_ends_in_the_same_state(machine: Machine) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=SEQUENCES,
            stateful_step_count=LENGTH,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
