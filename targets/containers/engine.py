"""The container engine: Docker's SDK, bounded in time, and one error with its mend when it does not answer.

Everything here is found by label. What does not carry the label of a stack is never looked at, let alone touched.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, DockerException, NotFound
from requests.exceptions import RequestException

from targets.brokerage.config import LABEL
from targets.target import TargetError

FOLDER_LABEL = "kunren.folder"
TOKEN_LABEL = "kunren.token"  # noqa: S105  # a label's name
SERVICE_LABEL = "com.docker.compose.service"
SOCKET = "unix:///var/run/docker.sock"
CALL_S = 20.0
LOOK_S, LOOK_COMPOSE_S = 3.0, 10.0
FIRST = 1
"""The process that a container runs, as the container counts."""
MEND = (
    "install Docker with Compose v2, start it (systemctl start docker, or dockerd &), or set DOCKER_HOST;"
    " you need to be in its group"
)


class EngineError(TargetError):
    """The engine does not answer, or did not do what was asked."""


def client(within_s: float = CALL_S) -> Any:
    """A connection to the engine, each call bounded by ``within_s``; close it. EngineError when there is none."""
    try:
        _knock(within_s)
        return docker.from_env(timeout=within_s)  # asks the engine for its version
    except (DockerException, RequestException, OSError) as error:
        raise EngineError(f"no container engine answers ({error}): {MEND}") from error


def _knock(within_s: float) -> None:
    """OSError where nothing listens on the engine's Unix socket: the SDK would leave a socket open then."""
    scheme, _, path = os.environ.get("DOCKER_HOST", SOCKET).partition("://")
    if scheme in ("unix", "http+unix"):
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as knocking:
            knocking.settimeout(within_s)
            knocking.connect(path)


@cache
def shared() -> Any:
    """One for the whole process."""
    return client()


@contextlib.contextmanager
def told(what: str) -> Iterator[None]:
    """What the engine complains of, as an EngineError that says at what."""
    try:
        yield
    except (DockerException, RequestException) as error:
        says = error.explanation if isinstance(error, APIError) and error.explanation else str(error)
        raise EngineError(f"{what}: {says}") from error


class Project:
    """The containers, volumes and network of one stack."""

    def __init__(self, stack: str) -> None:
        self.stack = stack
        self._ids: dict[str, str] = {}

    @property
    def name(self) -> str:
        """Compose's name of the project."""
        return f"kunren-{self.stack}"

    def states(self) -> dict[str, dict[str, Any]]:
        """Service -> ``pid`` (the host's), ``state`` (running or exited; paused is running), ``exit``."""
        with told(f"containers of {self.stack}"):
            rows = shared().api.containers(all=True, filters=self._mine())
            self._ids = {row["Labels"][SERVICE_LABEL]: row["Id"] for row in rows}
            return {name: _state(shared().api.inspect_container(each)["State"]) for name, each in self._ids.items()}

    def start(self, service: str) -> None:
        """Start its container, or let it go on; no-op while it runs."""
        with told(f"start of {service}"):
            each = self._container(service)
            if each.status == "paused":
                each.unpause()
            elif each.status != "running":
                each.start()

    def signal(self, service: str, number: int) -> bool:
        """STOP and CONT freeze and thaw the whole container; others go to its service. False when it does not run."""
        with told(f"signal {number} to {service}"):
            each = self._container(service)
            if each.status not in ("running", "paused"):
                return False
            if number == signal.SIGSTOP:
                if each.status == "running":
                    each.pause()
                return True
            if each.status == "paused":
                each.unpause()
            if number != signal.SIGCONT:
                with contextlib.suppress(NotFound):
                    each.kill(signal=number)
        return True

    def kill(self, pid: int, number: int, among: Sequence[str], counted_by: str = "") -> dict[str, Any]:
        """Send a signal to one process of the services ``among``: whose it is (or None), ``sent``, and why not.

        ``pid`` is this machine's number for it, or that of the container ``counted_by``, where a process has its own.
        """
        for service in (counted_by,) if counted_by in among else among:
            inside = self._processes(service)
            found = pid if counted_by and pid in inside.values() else inside.get(pid)
            if found == FIRST:  # takes no signal from its own container
                return {"service": service, "sent": self.signal(service, number), "why": "it does not run"}
            if found is not None:
                code, _, err = self.execute(service, ["bash", "-c", 'kill -"$0" "$1"', str(number), str(found)], LOOK_S)
                return {"service": service, "sent": code == 0, "why": err.strip()}
        return {"service": None, "sent": False, "why": "none of these services has it"}

    def _processes(self, service: str) -> dict[int, int]:
        """Number on this machine -> number in its container; none while it does not run."""
        with told(f"processes of {service}"):
            each = self._container(service)
            rows = each.top(ps_args="-eo pid")["Processes"] if each.status == "running" else ()
        found = {}
        for (text,) in rows:
            with contextlib.suppress(OSError):  # ended meanwhile
                lines = Path(f"/proc/{text}/status").read_text().splitlines()
                found[int(text)] = next(int(line.split()[-1]) for line in lines if line.startswith("NSpid:"))
        return found

    def restart(self, service: str, within_s: float) -> None:
        """Stop it, by force after ``within_s``, and start it."""
        with told(f"restart of {service}"):
            self._container(service).restart(timeout=int(within_s))

    def disconnect(self, service: str) -> None:
        """Take it off the stack's network; no-op while it is off it."""
        with told(f"disconnect of {service}"):
            network, each = self._network(), self._container(service)
            if network.name in each.attrs["NetworkSettings"]["Networks"]:
                network.disconnect(each.id)

    def connect(self, service: str, address: str) -> None:
        """Put it back on the network under its name and address; no-op while it is there."""
        with told(f"connect of {service}"):
            network, each = self._network(), self._container(service)
            if network.name not in each.attrs["NetworkSettings"]["Networks"]:
                network.connect(each.id, aliases=[service], ipv4_address=address)

    def connected(self, service: str) -> bool:
        """Whether it is on the stack's network."""
        with told(f"network of {service}"):
            return self._network().name in self._container(service).attrs["NetworkSettings"]["Networks"]

    def stats(self, service: str) -> Mapping[str, Any]:
        """One reading of its resources, as the engine gives it; takes about a second."""
        with told(f"stats of {service}"):
            found: Mapping[str, Any] = self._container(service).stats(stream=False)
            return found

    def execute(self, service: str, argv: Sequence[str], within_s: float) -> tuple[int, str, str]:
        """Run it in the container, ended there after ``within_s``: exit (124: too late), stdout, stderr."""
        with told(f"command in {service}"):
            each = self._container(service)
            found = client(within_s + CALL_S).api
            bounded = ["timeout", "--kill-after=1", f"{within_s:.3f}", *argv]
            started = found.exec_create(each.id, bounded)["Id"]
            out, err = found.exec_start(started, demux=True)
            code = found.exec_inspect(started)["ExitCode"]
        return int(code), (out or b"").decode(errors="replace"), (err or b"").decode(errors="replace")

    def log(self, service: str, tail: int | str = "all") -> bytes:
        """What it has written to stdout and stderr."""
        with told(f"log of {service}"):
            said: bytes = self._container(service).logs(tail=tail)
            return said

    def remove(self) -> Iterator[str]:
        """Containers, then volumes and networks of this stack; idempotent."""
        with told(f"removal of {self.stack}"):
            for kind, each, how in self._everything():
                with contextlib.suppress(NotFound):
                    each.remove(**how)
                    yield f"removed {kind} {each.name}"

    def left(self) -> list[str]:
        """Names of what is still there."""
        with told(f"what is left of {self.stack}"):
            return [each.name for _, each, _ in self._everything()]

    def _everything(self) -> Iterator[tuple[str, Any, dict[str, Any]]]:
        """Kind, handle, and how to remove it; a kind is looked for when those before it have been dealt with."""
        engine, mine = shared(), {"filters": self._mine()}
        for each in engine.containers.list(all=True, ignore_removed=True, **mine):
            yield "container", each, {"force": True, "v": True}
        for each in engine.volumes.list(**mine):
            yield "volume", each, {"force": True}
        for each in engine.networks.list(**mine):
            yield "network", each, {}

    def _mine(self) -> dict[str, Any]:
        return {"label": [f"{LABEL}={self.stack}"]}

    def _network(self) -> Any:
        found = shared().networks.list(filters=self._mine())
        if not found:
            raise EngineError(f"the stack {self.stack} has no network")
        return found[0]

    def _container(self, service: str) -> Any:
        found = shared().containers.list(
            all=True, filters={"label": [f"{LABEL}={self.stack}", f"{SERVICE_LABEL}={service}"]}
        )
        if not found:
            raise EngineError(f"the stack {self.stack} has no container for {service}")
        return found[0]


def stacks() -> dict[str, Path]:
    """Stack -> its folder, of everything on the engine with the drill label."""
    with told("drill stacks"):
        rows = shared().api.containers(all=True, filters={"label": [LABEL]})
        return {row["Labels"][LABEL]: Path(row["Labels"].get(FOLDER_LABEL, "")) for row in rows}


def compose(argv: Sequence[str], environment: Mapping[str, str], within_s: float) -> None:
    """``docker compose`` with these words; EngineError with its last words when it failed or took too long."""
    try:
        done = subprocess.run(
            ["docker", "compose", *argv], env={**os.environ, **environment},
            capture_output=True, text=True, timeout=within_s, check=False, start_new_session=True,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise EngineError("docker is not on PATH: install Docker with Compose v2") from error
    except subprocess.TimeoutExpired as error:
        raise EngineError(f"docker compose {argv[-1]} took more than {within_s:g} s") from error
    if done.returncode != 0:
        raise EngineError(f"docker compose failed: {' | '.join(done.stderr.strip().splitlines()[-3:])}")


def _state(row: Mapping[str, Any]) -> dict[str, Any]:
    running = bool(row["Running"])
    return {
        "pid": row["Pid"],
        "state": "running" if running else "exited",
        "exit": None if running else row["ExitCode"],
        "paused": bool(row["Paused"]),
    }
