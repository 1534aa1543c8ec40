"""The runtime ``compose``: the mini-brokerage as containers, every link through the real Toxiproxy.

``docker compose`` brings a stack up and down; all else is asked of the engine itself (``targets.containers.engine``).
A stack has a folder with its owner's lock, like one of processes; its containers, volumes and network carry the drill
label with the stack's name, the token and that folder, and are found again by them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import msgspec

from compose import images
from compose.images import IMAGE_LABEL, IMAGES, tag
from targets import ownership
from targets.brokerage import config as brokerage
from targets.brokerage import furnishing, postgres
from targets.brokerage.clock import clock_config
from targets.brokerage.config import COMPRESSION
from targets.brokerage.furnishing import furnish
from targets.brokerage.topology import TOPOLOGY
from targets.brokerage.world import business_day, make_world
from targets.cache import cache_complaint, cache_folder
from targets.containers import network, prometheus
from targets.containers.controlgroups import counters, used
from targets.containers.engine import (
    FIX,
    LOOK_COMPOSE_S,
    EngineError,
    Project,
    compose,
    shared,
    stacks,
    tagged,
    version,
)
from targets.containers.stack import (
    NAME,
    PAST_THE_ENGINE,
    THROUGH_THE_ENGINE,
    ContainerStack,
    attach,
    capabilities,
    inside_config,
)
from targets.containers.switchboard import Switchboard
from targets.containers.variables import INSIDE, environment
from targets.finding import Finding
from targets.local import configure
from targets.ports import accepts, claim_block
from targets.runtime import Request
from targets.stack import START_WITHIN_S
from targets.starting import Starting
from targets.target import Capabilities, Intent, OwnPart, Startable, TargetError

FILE = Path(images.__file__).with_name("compose.yaml")
NOBODY = 65_532
ENGINE = "container engine"
UP_S = 120.0
DOWN_S = 60.0
FILL_S = 20.0
CONTROL = "control"
"""The folder of the switchboard's socket."""
EVERYBODY = "host all all all trust\n"
"""For PostgreSQL: its clients are other containers. The network is the stack's own."""


class Containers:
    """Stacks of containers, each a project with a network and volumes of its own."""

    name = NAME
    source: bytes | None = None
    compression = COMPRESSION
    start_stop_s = 60.0
    files_per_customer = 1

    def capabilities(self) -> Capabilities:
        """The same for every stack."""
        return capabilities()

    def examine(self) -> Iterator[Finding]:
        """The engine, Compose, the images."""
        for each in (_engine, _compose, _images):
            yield each()

    def lacking(self, proxy: str) -> tuple[str, ...]:
        """A cache, PostgreSQL's initdb, an engine, Compose and the images; the proxy is always the real one."""
        if proxy == "embedded":
            return ("containers use the real Toxiproxy only: leave --proxy away, or use --target local",)
        here = [*filter(None, [cache_complaint()]), *postgres.lacking()]
        absent = [each for each in self.examine() if not each.ok]
        first = absent[:1] if absent and absent[0].what == ENGINE else absent  # without it nothing is known of images
        return (*here, *(f"{each.what}: {each.says}; {each.fix}" for each in first))

    def make(self, request: Request) -> Startable:
        """One stack, with a project, a network, a token and ports of its own."""
        return ComposeTarget(request)

    def abandoned(self) -> list[Intent]:
        """Folders whose lock nobody holds, and what is on the engine of stacks whose folder nobody owns."""
        found = {str(folder) for folder in ownership.abandoned(_root())}
        with contextlib.suppress(EngineError):
            # Others' stacks on a shared engine are none of ours: from here nobody could tell whether they are owned.
            ours = [folder for folder in stacks().values() if folder.parent == _root()]
            found |= {str(folder) for folder in ours if not ownership.owned(folder)}
        return [Intent(self.name, each) for each in sorted(found)]

    def owned(self, intent: Intent) -> bool:
        """Whether somebody holds the lock in the stack's folder."""
        return ownership.owned(Path(intent.stack))

    def attach(self, intent: Intent) -> ContainerStack:
        """By the ``config.json`` in its folder."""
        return attach(Path(intent.stack))

    def end(self, intent: Intent) -> Iterator[str]:
        """By label: containers, volumes, network; then the folder."""
        home = Path(intent.stack)
        project = Project(home.name)
        if project.end_commands():
            yield "ended docker compose, which was at work on it"
        yield from project.remove()
        ownership.remove(home)
        yield f"removed {home}"


CONTAINERS = Containers()


class ComposeTarget(Starting, ContainerStack):
    """Brought up on entering; on leaving nothing of it is left."""

    def __init__(self, request: Request) -> None:
        """TargetError where the phase has no such time of day, or no ports are free."""
        day = business_day(request.seed)
        try:
            clock = clock_config(request.phase, request.start, request.compression, day)
            self._block = claim_block(TOPOLOGY.block)
        except (KeyError, ValueError, OSError) as error:
            raise TargetError(str(error)) from error
        self._world = make_world(request.seed, day=day, compression=request.compression, begins=clock.business)
        home = _root() / f"{time.time_ns():x}-{os.getpid()}"
        config = configure(self._block.ports, home / INSIDE, request, clock)
        own_network = network.free(self._block.ports[0], len(TOPOLOGY.containers))
        own = {"stack": home.name, "proxy_engine": "toxiproxy", "network": own_network}
        super().__init__(msgspec.structs.replace(config, **own))
        self._owner: TextIO | None = None
        self._stopping = False
        self._counters: Sequence[Path] | None = None
        self._switchboard = Switchboard(self.folder / CONTROL, self.config.token, self.control)

    def world(self) -> Sequence[Mapping[str, Any]]:
        """Customers, cash, holdings and prices on the seed's business day."""
        return self._world

    def password(self, customer: str) -> str:
        """By the seed."""
        return brokerage.password(self.config.seed, customer)

    def lifelines(self) -> tuple[int, ...]:
        """None: containers live on by themselves."""
        return ()

    def unguarded(self) -> tuple[str, ...]:
        """The switchboard, through which the operator reaches the engine, and the owner's lock."""
        found = []
        if not self._switchboard.serves:
            found.append("the switchboard, through which the operator's tool works, has ended")
        if self._owner is not None and ownership.lost(self.home, self._owner):
            found.append(f"the owner's lock in {self.home} is gone")
        return () if self._stopping else tuple(found)

    def own_parts(self) -> tuple[OwnPart, ...]:
        """The proxy; its log is taken from the engine as it is now."""
        log = self.logs()["toxiproxy"]
        state = self.project.states().get("toxiproxy", {})
        with contextlib.suppress(OSError):  # who cannot keep it will not find it either
            log.write_bytes(self.project.log("toxiproxy"))
        return (OwnPart("proxy", state["pid"] if state.get("state") == "running" else None, log),)

    def processor_time(self) -> int | None:
        """Of its containers; None where this machine does not show their control groups."""
        if self._counters is None:
            with contextlib.suppress(TargetError):
                self._counters = counters(row["pid"] for row in self.project.states().values())
        return None if self._counters is None else used(self._counters)

    def by_hand(self) -> Iterator[str]:
        """Customers' address, and how to call brokerctl."""
        yield f"customers:  {self.customers_url()}"
        yield f"containers: docker compose -p {self.project.name} ps"
        program = f"docker exec {self.project.name}-pager-1 python3 -m targets.brokerage.brokerctl"
        yield f"operate it: {program} --role viewer --env {self.config.environment} status"

    def __exit__(self, *exc: object) -> None:
        """Keep the logs, then remove containers, volumes, network and folder."""
        self._stopping = True
        try:
            if self._owner is not None:
                self._end()
        finally:
            self._block.release()
            if self._owner is not None:
                self._owner.close()
                self._owner = None

    def _begin(self) -> None:
        shared()  # says how to fix it before anything is made
        self._owner = ownership.claim(self.home)
        Path(self.config.logs).mkdir(parents=True, exist_ok=True)
        user = self._furnish()
        self._up([name for name in TOPOLOGY.programs if name in TOPOLOGY.containers], user)
        self._wait_healthy(("postgres",))
        self._fill_database(self._world)
        # Nothing listens in there yet: who accepts is the engine, and will accept too when a link is closed.
        engine_accepts = accepts(self.config.via[TOPOLOGY.customers])
        self._make_links()
        self._switchboard.open()
        self._up((), user)
        self._fill_volumes()
        self._wait_healthy([name for name in TOPOLOGY.containers if name not in TOPOLOGY.programs])
        self._start_tool()
        if engine_accepts:
            self._go_past_the_engine()

    def _end(self) -> None:
        self._switchboard.close()
        self.save_logs()
        with contextlib.suppress(EngineError):  # what counts is that nothing is left
            compose([*self._project_words(), "down", "--volumes", "--timeout", "3"], self._environment(""), DOWN_S)
        for _ in self.project.remove():  # nothing, where `down` did its work
            pass
        ownership.remove(self.home)

    def _furnish(self) -> str:
        """Everything the containers find in their folder; returns ``uid:gid`` for them, never root's."""
        volumes = [each for name in TOPOLOGY.served for each in TOPOLOGY.components[name].volumes]
        for each in (*volumes, CONTROL):
            (self.folder / each).mkdir(parents=True)
        furnish(self.config, [brokerage.LOOPBACK, self._proxy_address()])
        postgres.make_cluster(cache_folder(), self.folder / "pgdata")
        with (self.folder / "pgdata" / "pg_hba.conf").open("a") as rules:
            rules.write(EVERYBODY)
        seen = inside_config(self.config)
        (self.folder / brokerage.FILE).write_bytes(msgspec.json.format(msgspec.json.encode(seen)))
        self._save()
        prometheus.write(self.folder / "monitor", seen)
        if os.geteuid() != 0:
            return f"{os.geteuid()}:{os.getegid()}"
        for path in (self.folder, *self.folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
        return f"{NOBODY}:{NOBODY}"

    def _save(self) -> None:
        """How another process finds it: as this machine sees it."""
        (self.home / brokerage.FILE).write_bytes(msgspec.json.format(msgspec.json.encode(self.config)))

    def _go_past_the_engine(self) -> None:
        """Customers come to the proxy's own address, where that is on this machine and leads to this very stack."""
        self.door = THROUGH_THE_ENGINE
        host = self._proxy_address()
        if not network.is_here(self.config.network):
            return
        with contextlib.suppress(TargetError):
            shown = self._shown_to_customers(host)
            if shown["token"] == self.config.token:
                self.config = msgspec.structs.replace(self.config, hosts={**self.config.hosts, TOPOLOGY.proxy: host})
                self._save()
                self.door = PAST_THE_ENGINE

    def _proxy_address(self) -> str:
        return network.addresses(self.config.network, TOPOLOGY.containers)[TOPOLOGY.proxy]

    def _fill_volumes(self) -> None:
        """From the operators' container: the volumes are in containers alone."""
        words = ["python3", "-m", furnishing.__name__]
        code, _, said = self.project.execute(TOPOLOGY.operators_host, words, FILL_S)
        if code != 0:
            raise TargetError(f"the volumes could not be filled: {said.strip().splitlines()[-1:]}")

    def _make_links(self) -> None:
        self._proxies.wait_ready(START_WITHIN_S)
        for name, route in TOPOLOGY.links.items():
            upstream = f"{TOPOLOGY.owners[route.port]}:{self.config.ports[route.port]}"
            self._proxies.create(name, f"0.0.0.0:{self.config.via[name]}", upstream)

    def _up(self, services: Sequence[str], user: str) -> None:
        words = [*self._project_words(), "up", "--detach", "--no-build", "--pull", "never", *services]
        compose(words, self._environment(user), UP_S)

    def _project_words(self) -> list[str]:
        return ["--project-name", self.project.name, "--file", str(FILE), "--progress", "plain"]

    def _environment(self, user: str) -> dict[str, str]:
        return dict(environment(self.config, self.home, user or f"{NOBODY}:{NOBODY}", tag()))


def _root() -> Path:
    return cache_folder() / "containers"


def _engine() -> Finding:
    try:
        return Finding(ENGINE, True, f"docker {version()}", False)
    except EngineError:
        return Finding(ENGINE, False, "none answers, and --target compose needs one", False, FIX)


def _compose() -> Finding:
    fix = "install the Compose v2 plugin (docker-compose-plugin)"
    if shutil.which("docker") is None:
        return Finding("compose", False, "docker is not on PATH", False, fix)
    try:
        compose(["version"], {}, LOOK_COMPOSE_S)
    except EngineError as error:
        return Finding("compose", False, str(error), False, fix)
    return Finding("compose", True, "docker compose answers", False)


def _images() -> Finding:
    try:
        there = tagged(IMAGE_LABEL)
    except EngineError:
        return Finding("images", False, "no engine to ask", False, "make images, once an engine answers")
    missing = [each for each in IMAGES if f"kunren/{each}:{tag()}" not in there]
    if missing:
        return Finding("images", False, f"not built for this code: {', '.join(missing)}", False, "make images")
    return Finding("images", True, f"built, tag {tag()}", False)
