"""``brokerctl host …``: the processes the brokerage runs. The exchange is another company's and not among them."""

from __future__ import annotations

import signal
import time
from argparse import Namespace
from collections.abc import Callable
from typing import Any

from targets import http_sync
from targets.brokerage.declaration import QUERIES
from targets.brokerage.operations.batch import PID, ROOT_BLOCKER, root_blocker
from targets.brokerage.operations.calls import Stack
from targets.brokerage.operations.declared import operation
from targets.brokerage.operations.outcome import CommandResult, HalfWay, NotReached, Refused, done
from targets.brokerage.roles import OPERATORS
from targets.brokerage.topology import TOPOLOGY
from targets.operator_tool import Argument, count, text

HOSTED = TOPOLOGY.operated
"""Services that run on the brokerage's own host."""

STOP_WITHIN_S = 5.0
HEALTHY_WITHIN_S = 15.0
POLL_S = 0.02


def restart(stack: Stack, args: Namespace) -> CommandResult:
    """``host restart SERVICE``."""
    service: str = args.service
    if service == stack.here():
        raise Refused(f"brokerctl runs inside {service} and would end with it: restart its container from outside")
    before = stack.processes().get(service)
    try:
        if before is not None and before["state"] == "running":
            _stop(stack, service)
        stack.control({"verb": "start", "service": service})
    except NotReached as error:  # not before the first request, but after it: the service may be down now
        raise HalfWay(error.says) from error
    if not _wait(HEALTHY_WITHIN_S, lambda: _healthy(stack, service)):
        raise HalfWay(f"{service} was started but is not healthy after {HEALTHY_WITHIN_S:g} s; {stack.check(service)}")
    pid = stack.processes()[service]["pid"]
    return done(f"{service} was restarted as pid {pid} and is healthy", True, {"service": service, "pid": pid})


def _stop(stack: Stack, service: str) -> None:
    for number, within_s in ((TOPOLOGY.components[service].stop, STOP_WITHIN_S), (signal.SIGKILL, 1.0)):
        stack.control({"verb": "signal", "service": service, "signal": int(number)})
        if _wait(within_s, lambda: stack.processes()[service]["state"] == "exited"):
            return
    raise HalfWay(f"{service} did not end, not even by SIGKILL; {stack.check(service)}")


def _wait(within_s: float, ready: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + within_s
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def _healthy(stack: Stack, service: str) -> bool:
    declared = TOPOLOGY.components[service]
    if declared.health == QUERIES:
        from targets.brokerage.direct import answers_queries  # slow to import, and needed by this one command

        return answers_queries(stack.config.at(declared.ports[0]))
    try:
        return http_sync.ask(stack.address(service), "GET", declared.health, 1.0).status == 200
    except http_sync.NoReply:
        return False


def kill(stack: Stack, args: Namespace) -> CommandResult:
    """``host kill --signal N PID|root-blocker``."""
    number = signal_number(args.signal)
    request: dict[str, Any] = {
        "verb": "kill",
        "signal": number,
        "among": [each for each in HOSTED if each != stack.here()],
    }
    if args.pid == ROOT_BLOCKER:
        request |= {"pid": root_blocker(stack), "counted_by": "postgres"}
    else:
        request["pid"] = int(args.pid)
    answer = stack.control(request)
    pid, service = request["pid"], answer.get("service")
    if service is None:
        but = f" outside {stack.here()}, where brokerctl itself runs" if stack.here() else ""
        raise Refused(f"pid {pid} is no process of this brokerage{but}; brokerctl status lists them")
    if not answer.get("sent"):
        raise Refused(f"pid {pid} ({service}) took no signal: {answer.get('why')}")
    facts = {"pid": pid, "service": service, "signal": number}
    return done(f"signal {number} was sent to pid {pid} ({service})", True, facts)


def signal_number(text: str) -> int:
    """``9``, ``KILL`` or ``SIGKILL`` as a number; Refused for anything that is no signal."""
    names = {each.name: int(each) for each in signal.Signals}
    if text.isascii() and text.isdigit() and int(text) in signal.valid_signals():
        return int(text)
    number = names.get(text.upper()) or names.get(f"SIG{text.upper()}")
    if number is None:
        raise Refused(f"--signal {text!r} is no signal; give a number or a name such as TERM")
    return number


NOUNS = {"host": "the brokerage's own processes"}

OPERATIONS = (
    operation(
        restart, "host restart", "end a service and start it again", OPERATORS,
        {"service": text(*HOSTED), "pid": count()}, Argument("service", only=HOSTED),
        examples=("host restart gateway",),
    ),
    operation(
        kill, "host kill", "send a signal to a process of the brokerage", OPERATORS,
        {"pid": count(), "service": text(*HOSTED), "signal": count()},
        Argument("--signal", "number or name", shown="N"), PID, examples=("host kill --signal TERM 4711",),
    ),
)  # fmt: skip
