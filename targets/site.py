"""A described system while it runs, seen from outside through its folder.

It lives in a folder of its own below the cache and is described there by ``site.json``, so that any process can attach
to it (``attach``) and end it. The services are what its hooks make them; the links are proxies of our own.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from targets import children, health, hooks, hosts, silence
from targets.cache import cache_folder
from targets.description import LABEL, PROXY, Argv, Description, Hooked, ends, filled
from targets.logs import tail
from targets.loopback import LOOPBACKS, joined, split
from targets.own_errors import raise_if_own
from targets.ports import answering
from targets.processes import belonging, words
from targets.target import (
    Capabilities,
    Cut,
    Intent,
    Link,
    Partitioning,
    ProbeResult,
    Proxies,
    ServiceState,
    Target,
    TargetError,
    Unlabelled,
)
from targets.toxiproxy import ToxiproxyClient

SITE = "site.json"
STARTED = ".started"
KIND = "described"
"""In an ``Intent``."""

UNSEEN = "whatever it has that passes through none of its links"

HANDSHAKE_WITHIN_S, STOP_WITHIN_S = 10.0, 15.0
SILENT_WITHIN_S = 5.0
"""For a service to leave its port: a stop hook may return before it is done."""


class Plan(msgspec.Struct, frozen=True):
    """``site.json``: the description, and what was chosen for this very run."""

    description: Description
    folder: str
    shared: str
    logs: str
    token: str
    seed: int
    proxy_engine: str
    proxy_port: int
    ports: dict[str, int]
    listens: dict[str, int]


def capabilities(description: Description) -> Capabilities:
    """Its links, services and loads, and what its file says it does not have."""
    return Capabilities(
        frozenset(description.links),
        frozenset(description.services),
        (),
        operator=None,
        alerts=False,
        partitionable=frozenset(service for link in description.links for service in ends(description, link)),
        unsupported=description.unsupported,
        loads=description.loads,
    )


class Site(Target):
    """A described system, seen from outside through its folder."""

    name = KIND

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.folder = Path(plan.folder)
        self._proxies = ToxiproxyClient("127.0.0.1", plan.proxy_port)
        self._kept: list[hooks.Kept] = []
        """The hooks that this process has started, whose keepers it has to collect."""

    def capabilities(self) -> Capabilities:
        """As its file describes it."""
        return capabilities(self.plan.description)

    def engines(self) -> Mapping[str, str]:
        """The proxy, and which target file it was."""
        described = f"{self.plan.description.name}, described by a file {self.plan.description.sha256[:12]}"
        return {"proxy": self._proxies.engine(), "target": described}

    def handshake(self) -> ProbeResult:
        """The system itself shows label and this run's token; Unlabelled when it does not."""
        how = self.plan.description.handshake
        try:
            where, shown = self._shown()
        except TargetError as error:
            raise_if_own(error)
            raise Unlabelled(f"no drill label and token could be read: {error}") from error
        if LABEL not in shown or self.plan.token not in shown:
            raise Unlabelled(f"{where} does not show the drill label {LABEL} and the token of this run")
        return ProbeResult(True, f"label {LABEL}, token matches, shown by {how.service or how.run[0]}")

    def customers_url(self) -> str:
        """Through the customers' link."""
        return f"http://127.0.0.1:{self.plan.listens[self.plan.description.customers]}"

    def own_hosts(self) -> frozenset[str]:
        """None: customers come through the proxy on 127.0.0.1."""
        return frozenset()

    def links(self) -> Mapping[str, Link]:
        """The proxied links."""
        found = self.plan.description
        return {
            name: Link(
                name, f"127.0.0.1:{self.plan.listens[name]}", self._upstream(link.upstream), ends(found, name)
            )
            for name, link in found.links.items()
        }  # fmt: skip

    def proxies(self) -> Proxies:
        """Control of the proxy server."""
        return self._proxies

    def services(self) -> Mapping[str, ServiceState]:
        """By the processes that belong to it, and what answers on the service's port."""
        for hook in self._kept:
            hook.poll()  # a keeper that has left must not stay a zombie
        return {name: self._service(name) for name in self.plan.description.services}

    def signal(self, service: str, number: int) -> None:
        """To every process of the service; TargetError when it has none, or one that is another user's."""
        self._hooked(service)
        told, refused = hooks.send_all(self.folder, service, number)
        if not told:
            raise TargetError(f"no process of {service} can be seen: nothing to send a signal to")
        if refused:
            raise TargetError(f"no signal may be sent to {', '.join(map(words, refused))}: it is not ours")

    def start(self, service: str) -> None:
        """Run its start hook if it has no process, and wait until healthy."""
        hooked = self._hooked(service)
        if belonging(self.folder, service):
            self._wait_healthy(service, hooked, None)
            return
        if answering(self.plan.ports[service]):
            raise hooks.NotStarted(f"something else listens on port {self.plan.ports[service]} of {service} already")
        ours = self._ours(service)
        before = ours.exists()
        # before the hook begins: whoever dies from here on is cleared up after
        ours.write_text(f"{self.plan.ports[service]}\n")
        try:
            self._wait_healthy(service, hooked, self.launch(service, self.argv(hooked.start, service)))
        except hooks.NotStarted:
            if not before:
                ours.unlink(missing_ok=True)
            raise

    def stop(self, service: str) -> tuple[str, ...] | None:
        """Its stop hook, if it has one; then whatever of it is left is ended. What went wrong; None: not ours to stop.

        A service in other hands shows no process, so its hook is asked whatever can be seen of it. One that this run
        did not start is left alone: what its hook stops by name, or what serves at its port, may be somebody else's.
        """
        hooked, ours = self._hooked(service), self._ours(service)
        if not ours.exists():
            hooks.end(self.folder, service)
            return None
        wrong = []
        try:
            if hooked.stop is not None:
                self.carry_out(hooked.stop, service, STOP_WITHIN_S)
        except TargetError as error:
            wrong.append(str(error))
        left = hooks.left_over(hooks.end(self.folder, service))
        answers = self._answers_still(service)
        if answers:
            wrong.append(f"something still answers on port {self.plan.ports[service]}")
        if not (left or answers):
            ours.unlink(missing_ok=True)
        return (*wrong, *left)

    def cut(self, service: str) -> Cut:
        """By its links, as far as the file tells whose they are; what else it has is not known."""
        return silence.cut(self.links(), self._proxies, service, (UNSEEN,))

    def disconnect(self, service: str) -> None:
        """Silence its links."""
        silence.disconnect(self.links(), self._proxies, service)

    def connect(self, service: str) -> None:
        """Let its links speak again."""
        silence.connect(self.links(), self._proxies, service)

    @property
    def partitioning(self) -> Partitioning:
        """Of the services at the ends of its links; it has no other optional part."""
        return self

    def logs(self) -> Mapping[str, Path]:
        """What each hook's processes have printed."""
        return {name: Path(self.plan.logs) / f"{name}.log" for name in (*self.plan.description.services, PROXY)}

    def intent(self) -> Intent:
        """Its folder says all the rest."""
        return Intent(KIND, str(self.folder))

    def launch(self, service: str, argv: list[str]) -> hooks.Kept:
        """Start processes of a service, or the proxy, under a keeper; returns at once."""
        base = children.own_environment() if service == PROXY else children.users_environment()
        return self._launched(service, argv, self.logs()[service], base)

    def start_preparing(self, argv: Sequence[str], log: Path) -> hooks.Kept:
        """Start a command of ``prepare``."""
        return self._launched(None, argv, log, children.users_environment())

    def carry_out(self, hook: Argv, service: str | None, within_s: float) -> str:
        """Run a hook to its end; what it printed. TargetError when it fails or is not done in time."""
        environment = {**children.users_environment(), **self.label()}
        return hooks.carry_out(self.argv(hook, service), self.folder, service, environment, within_s, self._kept)

    def collect(self) -> None:
        """Collect the keepers of the hooks that this process has started, once what they keep was ended."""
        while self._kept:
            self._kept.pop().close()

    def argv(self, hook: Argv, service: str | None = None) -> list[str]:
        """The hook with its names in braces replaced."""
        return filled(hook, dict(self._values(service)))

    def label(self) -> dict[str, str]:
        """What hooks are told beside their arguments and the user's own environment."""
        return {"KUNREN_LABEL": LABEL, "KUNREN_TOKEN": self.plan.token}

    def _launched(self, service: str | None, argv: Sequence[str], log: Path, base: Mapping[str, str]) -> hooks.Kept:
        with log.open("ab") as output:
            started = hooks.launch(argv, self.folder, service, {**base, **self.label()}, output, output)
        self._kept.append(started)
        return started

    def _values(self, service: str | None) -> Iterator[tuple[str, str]]:
        plan = self.plan
        yield from (
            ("python", sys.executable),
            ("here", plan.description.here),
            ("folder", plan.folder),
            ("public", str(public(self.folder))),
            ("shared", plan.shared),
            ("label", LABEL),
            ("token", plan.token),
            ("seed", str(plan.seed)),
        )
        yield from ((f"port.{name}", str(port)) for name, port in plan.ports.items())
        yield from ((f"link.{name}", f"127.0.0.1:{port}") for name, port in plan.listens.items())
        if service in plan.ports:
            yield "port", str(plan.ports[service])

    def _shown(self) -> tuple[str, str]:
        """Where the handshake was read, and all that was read there."""
        how = self.plan.description.handshake
        if how.run:
            return how.run[0], self.carry_out(how.run, None, HANDSHAKE_WITHIN_S)
        port, where = self.plan.ports[how.service], f"{how.service}{how.path}"
        reply = health.get(port, how.path, 2.0, hosts.host(self.folder, port))
        if reply.status != 200:
            raise TargetError(f"{where} answered {reply.words()}")
        return where, f"{reply.headers}\n{reply.body}"

    def _hooked(self, service: str) -> Hooked:
        try:
            return self.plan.description.services[service]
        except KeyError:
            raise TargetError(f"no service {service}") from None

    def _upstream(self, upstream: str) -> str:
        """Where it answers: a service and ``localhost`` at whichever loopback address did."""
        host, port = ("localhost", self.plan.ports[upstream]) if upstream in self.plan.ports else split(upstream)
        return joined(hosts.host(self.folder, port) if host == "localhost" else host, port)

    def _ours(self, service: str) -> Path:
        """A file that is there if this run started the service, with its port: for any process that stops it."""
        return self.folder / f"{service}{STARTED}"

    def _answers_still(self, service: str) -> bool:
        deadline = time.monotonic() + SILENT_WITHIN_S
        while answers := answering(self.plan.ports[service]):
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        return answers is not None

    def _service(self, name: str) -> ServiceState:
        pids = belonging(self.folder, name)
        return ServiceState(name, pids[0] if pids else None, self._look(name).healthy)

    def _look(self, service: str) -> health.Look:
        """At the address where it has answered; at either as long as it has not."""
        port = self.plan.ports[service]
        kept = hosts.known(self.folder, port)
        return health.look(port, self._hooked(service).health, LOOPBACKS if kept is None else (kept,))

    def _wait_healthy(self, service: str, hooked: Hooked, started: hooks.Kept | None) -> None:
        """A start hook may end well and leave the service behind, or in other hands; ``started`` is this very one."""
        port, log = self.plan.ports[service], self.logs()[service]

        def look_for_it() -> None:
            if started is not None and started.poll() and not belonging(self.folder, service):
                raise hooks.NotStarted(f"{service} ended while starting", tail(log), log)

        self.found_at(port, health.wait(service, port, hooked.health, hooked.within_s, log, look_for_it))

    def found_at(self, port: int, host: str) -> None:
        """Remember at which loopback address the port answers, and let the links to it lead there."""
        moved = host != hosts.host(self.folder, port)
        hosts.keep(self.folder, port, host)
        for link in self.links().values():
            if moved and split(link.upstream) == (host, port):
                self._proxies.lead_to(link.name, link.upstream)


def public(folder: Path) -> Path:
    """What of the folder a service may show to anybody."""
    return folder / "public"


def sites() -> Path:
    """The folder of all of them."""
    return cache_folder() / "sites"


def attach(folder: Path) -> Site:
    """A handle on one that some other process started; TargetError when the folder holds none."""
    try:
        return Site(msgspec.json.decode((folder / SITE).read_bytes(), type=Plan))
    except (OSError, msgspec.DecodeError) as error:
        raise TargetError(f"{folder} describes no system: {error}") from error


def started(folder: Path) -> Iterator[tuple[str, int]]:
    """The ports of what was started there and not seen to end; needs no ``site.json``."""
    for path in sorted(folder.glob(f"*{STARTED}")):
        for word in path.read_text(errors="replace").split():
            if word.isdigit():
                yield path.name.removesuffix(STARTED), int(word)


def save(plan: Plan) -> None:
    """Write ``site.json``, readable by its owner alone: it holds the token."""
    handle = os.open(Path(plan.folder) / SITE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.encode(plan))
