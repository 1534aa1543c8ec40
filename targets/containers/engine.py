"""The container engine: Docker's SDK, bounded in time, and one error with its fix when it does not answer.

Everything here is found by label. What does not carry the label of a stack is never looked at, let alone touched.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import docker
import psutil
from docker.constants import MINIMUM_DOCKER_API_VERSION
from docker.errors import APIError, DockerException, NotFound
from docker.utils import kwargs_from_env
from requests.exceptions import RequestException

from targets import children
from targets.brokerage.config import LABEL
from targets.commands import run
from targets.target import TargetError

FOLDER_LABEL = "kunren.folder"
TOKEN_LABEL = "kunren.token"  # noqa: S105  # a label's name
SERVICE_LABEL = "com.docker.compose.service"
SOCKET = "unix:///var/run/docker.sock"
CALL_S = 20.0
LOOK_S, LOOK_COMPOSE_S = 3.0, 10.0
LOOKS, BETWEEN_LOOKS_S = 50, 0.2
"""At what is left of a stack: what was asked for before its harness died may still be coming, or going."""
IN_THE_WAY = 409
"""What the engine answers about something that is being removed already."""
FIRST = 1
"""The process that a container runs, as the container counts."""
FIX = (
    "install Docker with Compose v2, start it (systemctl start docker, or dockerd &), or set DOCKER_HOST;"
    " you need to be in its group"
)


HEADER = struct.Struct(">BxxxL")
"""Before each piece of a command's output: which stream, how many bytes (Docker's attach protocol)."""


class EngineError(TargetError):
    """The engine does not answer, or did not do what was asked."""


def host() -> str:
    """The one engine that the SDK, ``docker compose`` and ``docker build`` are all to ask."""
    return os.environ.get("DOCKER_HOST", SOCKET)


def environment() -> dict[str, str]:
    """For what talks to the engine, which is named: the command line tool would ask another where a context says so."""
    return {**children.own_environment(), "DOCKER_HOST": host()}


def client(within_s: float = CALL_S) -> Any:
    """A connection to the engine, each call bounded by ``within_s``; close it. EngineError when there is none."""
    try:
        _knock(within_s)
        with contextlib.closing(_unsteered(MINIMUM_DOCKER_API_VERSION, within_s)) as asking:
            spoken = asking.version(api_version=False)["ApiVersion"]
        return _unsteered(spoken, within_s)
    except (DockerException, RequestException, OSError) as error:
        raise EngineError(f"no container engine answers ({error}): {FIX}") from error


def _unsteered(spoken: str, within_s: float) -> Any:
    """A client that speaks this version of the API, whatever proxy or certificates this process's environment names.

    The version is given, as the SDK would else ask for it before it can be told so.
    """
    engine = docker.DockerClient(version=spoken, timeout=within_s, **kwargs_from_env(environment=environment()))
    engine.api.trust_env = False
    return engine


def _knock(within_s: float) -> None:
    """OSError where nothing listens on the engine's Unix socket: the SDK would leave a socket open then."""
    scheme, _, path = host().partition("://")
    if scheme in ("unix", "http+unix"):
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as knocking:
            knocking.settimeout(within_s)
            knocking.connect(path)


@cache
def shared() -> Any:
    """One for the whole process."""
    return client()


@contextlib.contextmanager
def engine_errors(what: str) -> Iterator[None]:
    """What the engine complains of, as an EngineError that says at what."""
    try:
        yield
    except (DockerException, RequestException, OSError) as error:
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
        with engine_errors(f"containers of {self.stack}"):
            rows = shared().api.containers(all=True, filters=self._mine())
            self._ids = {row["Labels"][SERVICE_LABEL]: row["Id"] for row in rows}
            return {name: _state(shared().api.inspect_container(each)["State"]) for name, each in self._ids.items()}

    def start(self, service: str) -> None:
        """Start its container, or let it go on; no-op while it runs."""
        with engine_errors(f"start of {service}"):
            each = self._container(service)
            if each.status == "paused":
                each.unpause()
            elif each.status != "running":
                each.start()

    def signal(self, service: str, number: int) -> bool:
        """STOP and CONT freeze and thaw the whole container; others go to its service. False when it does not run."""
        with engine_errors(f"signal {number} to {service}"):
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
        """Number on this machine -> number in its container; none while it does not run.

        By the control groups that this machine shows: the engine itself would need a ``ps`` beside it to tell.
        """
        with engine_errors(f"processes of {service}"):
            each = self._container(service)
        if each.status != "running":
            return {}
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # ended meanwhile
                if each.id in (process / "cgroup").read_text(errors="replace"):
                    found[int(process.name)] = _number_inside((process / "status").read_text(errors="replace"))
        return found

    def disconnect(self, service: str) -> None:
        """Take it off the stack's network; no-op while it is off it."""
        with engine_errors(f"disconnect of {service}"):
            network, each = self._network(), self._container(service)
            if network.name in each.attrs["NetworkSettings"]["Networks"]:
                network.disconnect(each.id)

    def connect(self, service: str, address: str) -> None:
        """Put it back on the network under its name and address; no-op while it is there."""
        with engine_errors(f"connect of {service}"):
            network, each = self._network(), self._container(service)
            if network.name not in each.attrs["NetworkSettings"]["Networks"]:
                network.connect(each.id, aliases=[service], ipv4_address=address)

    def connected(self, service: str) -> bool:
        """Whether it is on the stack's network."""
        with engine_errors(f"network of {service}"):
            return self._network().name in self._container(service).attrs["NetworkSettings"]["Networks"]

    def execute(self, service: str, argv: Sequence[str], within_s: float) -> tuple[int, str, str]:
        """Run it in the container, ended there after ``within_s``: exit (124: too late), stdout, stderr.

        EngineError also where nothing ends it in there, for the container was paused meanwhile.
        """
        with engine_errors(f"command in {service}"), contextlib.closing(client(CALL_S).api) as found:
            bounded = ["timeout", "--kill-after=1", f"{within_s:.3f}", *argv]
            started = found.exec_create(self._container(service).id, bounded)["Id"]
            out, err = _output(found.exec_start(started, socket=True), time.monotonic() + within_s + LOOK_S)
            code = found.exec_inspect(started)["ExitCode"]
        if code is None:
            raise EngineError(f"command in {service}: its output ended before it did")
        return int(code), out.decode(errors="replace"), err.decode(errors="replace")

    def begin(self, service: str, argv: Sequence[str]) -> None:
        """Start it in the container, and let it run on there until that ends. EngineError."""
        with engine_errors(f"command in {service}"), contextlib.closing(client(CALL_S).api) as found:
            found.exec_start(found.exec_create(self._container(service).id, list(argv))["Id"], detach=True)

    def log(self, service: str, tail: int | str = "all") -> bytes:
        """What it has written to stdout and stderr."""
        with engine_errors(f"log of {service}"):
            said: bytes = self._container(service).logs(tail=tail)
            return said

    def remove(self) -> Iterator[str]:
        """Containers, then volumes and networks of this stack, until there are none; EngineError while there are."""
        with engine_errors(f"removal of {self.stack}"):
            complaint = ""
            for _ in range(LOOKS):
                left = 0
                for kind, each, how in self._everything():
                    left += 1
                    try:
                        each.remove(**how)
                        yield f"removed {kind} {each.name}"
                    except NotFound:
                        continue
                    except APIError as error:
                        if error.status_code != IN_THE_WAY:
                            complaint = f"{each.name}: {error.explanation or error}"
                if not left:
                    return
                time.sleep(BETWEEN_LOOKS_S)
            raise EngineError(f"something of {self.stack} cannot be removed: {complaint or 'more keeps coming'}")

    def end_commands(self) -> bool:
        """Kill the ``docker compose`` that a dead harness left at work on this stack; whether there was one."""
        found = [each for each in psutil.process_iter(["cmdline"]) if self.name in (each.info["cmdline"] or ())]
        for each in found:
            with contextlib.suppress(psutil.Error):
                each.kill()
        psutil.wait_procs(found, LOOK_S)
        return bool(found)

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
    with engine_errors("drill stacks"):
        api, labelled = shared().api, {"label": [LABEL]}
        rows = [*api.containers(all=True, filters=labelled), *api.networks(filters=labelled)]
        rows += api.volumes(filters=labelled)["Volumes"] or ()
        return {row["Labels"][LABEL]: Path(row["Labels"].get(FOLDER_LABEL, "")) for row in rows}


def tagged(label: str) -> set[str]:
    """The names of the images that carry a label; EngineError."""
    with contextlib.closing(client(LOOK_S)) as engine, engine_errors("images"):
        return {name for image in engine.api.images(filters={"label": [label]}) for name in image["RepoTags"] or ()}


def version() -> str:
    """Of the engine; EngineError."""
    with contextlib.closing(client(LOOK_S)) as engine, engine_errors("engine"):
        return str(engine.version()["Version"])


def compose(argv: Sequence[str], variables: Mapping[str, str], within_s: float) -> None:
    """``docker compose`` with these words; EngineError with its last words when it failed or took too long."""
    words = ["docker", "compose", *argv]
    try:  # in a session of its own: it is a plugin that does the work, docker's own child
        done = run(words, within_s, env={**environment(), **variables}, whole_session=True)
    except OSError as error:
        raise EngineError(f"docker cannot be run ({error.strerror}): {FIX}") from error
    except subprocess.TimeoutExpired as error:
        raise EngineError(f"{' '.join(words)} took more than {within_s:g} s") from error
    if done.code != 0:
        raise EngineError(f"docker compose failed: {' | '.join(done.err.strip().splitlines()[-3:])}")


def _output(raw: Any, until: float) -> tuple[bytes, bytes]:
    """What a command in a container says on stdout and stderr, to its end; EngineError after ``until``, monotonic."""
    said = {1: bytearray(), 2: bytearray()}
    line: socket.socket = getattr(raw, "_sock", raw)
    try:
        while header := _exactly(line, HEADER.size, until):
            stream, length = HEADER.unpack(header)
            said.setdefault(stream, bytearray()).extend(_exactly(line, length, until))
    except (TimeoutError, struct.error) as error:
        raise EngineError(f"no end of a command in a container ({error})") from error
    finally:
        line.close()
        raw.close()  # the reader that the SDK has on it keeps it open till then
    return bytes(said[1]), bytes(said[2])


def _exactly(line: socket.socket, count: int, until: float) -> bytes:
    """So many bytes, fewer only at the end; TimeoutError."""
    data = b""
    while len(data) < count:
        line.settimeout(max(0.001, until - time.monotonic()))
        piece = line.recv(count - len(data))
        if not piece:
            break
        data += piece
    return data


def _state(row: Mapping[str, Any]) -> dict[str, Any]:
    running = bool(row["Running"])
    return {
        "pid": row["Pid"],
        "state": "running" if running else "exited",
        "exit": None if running else row["ExitCode"],
        "paused": bool(row["Paused"]),
    }


def _number_inside(status: str) -> int:
    """Of a process, in the innermost of the number spaces that its ``/proc/PID/status`` names."""
    return next(int(line.split()[-1]) for line in status.splitlines() if line.startswith("NSpid:"))
