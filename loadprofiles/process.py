"""The harness's side of the load: starts the generator, says when, reads its samples while they come, ends it.

::

    load = Load(PROFILES["day-session"], folder, seed=7, world=folder / "world.jsonl", password=…, max_s=90)
    load.start()                      # imports Locust while the target starts
    load.prepare(url, within_s=30)    # everybody is logged in
    load.go(t0)                       # customers come from this instant on
    … load.tail() …
    summary = load.stop(within_s=12)
"""

from __future__ import annotations

import os
import selectors
import subprocess
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import numpy.typing as npt

from loadprofiles.commands import (
    LONGEST_S,
    Begin,
    Command,
    EndStep,
    Go,
    LookAtStep,
    Reply,
    Step,
    Stepped,
    Stop,
    permitted,
)  # fmt: skip
from loadprofiles.profiles import Profile
from loadprofiles.samples import Tail
from targets import children

STEP_WITHIN_S = 5.0
"""For an answer about a step."""


class LoadError(Exception):
    """The load could not do what was asked; the message says what, the generator's last words, and the fix."""


class GeneratorDied(LoadError):
    """The generator has ended or hangs, by an error of its own."""


class Load:
    """One load in a process of its own. Blocking calls with time-outs; one thread at a time."""

    def __init__(
        self,
        profile: Profile,
        folder: Path,
        *,
        seed: int,
        world: Path,
        password: Callable[[str], str],
        max_s: float,
    ) -> None:
        self._profile = profile
        self._folder = folder.resolve()
        self._seed = seed
        self._world = world.resolve()
        self._password = password
        self._max_s = max_s
        self._process: subprocess.Popen[bytes] | None = None
        self._unread = b""
        self._talking = threading.Lock()
        self._tail = Tail(self._folder / "samples.bin")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start the generator; returns at once. From the main thread only; LoadError where ``max_s`` is too long."""
        if threading.current_thread() is not threading.main_thread():
            # the kernel's death signal fires when the *thread* that started the child ends
            raise LoadError("start the load from the main thread: it would die with any other")
        if not 0 < self._max_s <= LONGEST_S:
            raise LoadError(
                f"a load of {self._max_s:g} s was asked for; it must be above 0 and at most {LONGEST_S:g} s"
            )
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "load.log").open("ab") as log:
            self._process = subprocess.Popen(
                children.python("loadprofiles.generator", str(os.getpid())),
                cwd=children.NEUTRAL,
                env=children.own_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
            )

    @property
    def pid(self) -> int:
        """Of the generator."""
        return self._running().pid

    @property
    def alive(self) -> bool:
        """Whether the generator runs."""
        return self._process is not None and self._process.poll() is None

    def fail_if_dead(self) -> None:
        """GeneratorDied where it runs no more; nothing while it does."""
        if not self.alive:
            raise self._died("the load generator has died")

    def prepare(
        self,
        url: str,
        within_s: float,
        progress: Callable[[int, int], None] | None = None,
        own_hosts: Collection[str] = (),
        authority: str = "",
    ) -> None:
        """Log everybody in at ``url`` (127.0.0.0/8, or one of the target's ``own_hosts``: ``commands.permitted``).

        ``progress(done, all)`` now and then. Of a certificate that is shown there ``authority`` (PEM) must be the root;
        without it whomever this machine trusts. LoadError if not.
        """
        try:
            permitted(url, own_hosts)
        except ValueError as error:
            raise LoadError(str(error)) from None
        deadline = time.monotonic() + within_s
        self._await("imported", deadline, None)
        self._send(self._begin(url, own_hosts, authority))
        self._await("ready", deadline, progress)

    def go(self, t0_ns: int) -> None:
        """Customers come from ``t0_ns`` (CLOCK_MONOTONIC) on, which should lie a little ahead."""
        self._send(Go(t0_ns))

    def rate(self, service: str) -> float | None:
        """Arrivals a second of a rated service without any step; None where the load has no such service."""
        return self._profile.services.get(service)

    def step(self, name: str, service: str, per_s: float, lasts_s: float) -> None:
        """From now on and for ``lasts_s``, ``per_s`` more arrivals of a service. The same seed and name, the same ones.

        Steps may be asked for from any thread, as long as the load has not been stopped.
        """
        with self._talking:
            self._send(Step(name, service, per_s, lasts_s))

    def stepped(self, name: str, *, end: bool = False) -> Stepped:
        """How far the step of this name has come; ``end``: it goes no further."""
        with self._talking:
            self._send(EndStep(name) if end else LookAtStep(name))
            seen = self._await("step", time.monotonic() + STEP_WITHIN_S, None).step
        assert seen is not None
        return seen

    def tail(self) -> npt.NDArray[Any]:
        """Samples (dtype ``samples.SAMPLE``) noted since the last call; at most 0.2 s behind."""
        return self._tail.new()

    def stop(self, within_s: float = 12.0) -> dict[str, Any]:
        """End the arrivals, let requests end, ask about unsettled orders, and return ``result()``. LoadError if not.

        Takes up to the customers' time-out plus 4 s for the last round.
        """
        deadline = time.monotonic() + within_s
        self._send(Stop())
        self._await("stopped", deadline, None)
        try:
            code = self._running().wait(max(deadline - time.monotonic(), 1.0))
        except subprocess.TimeoutExpired:
            raise self._died("the load generator stopped but does not leave") from None
        if code != 0:
            raise self._died(f"the load generator left with exit code {code}")
        self._close_pipes()
        return self.result()

    def result(self) -> dict[str, Any]:
        """The summary in ``load.json``; LoadError where the load did not come to an orderly end."""
        try:
            summary: dict[str, Any] = msgspec.json.decode((self._folder / "load.json").read_bytes())
        except (OSError, msgspec.DecodeError):
            raise LoadError(f"no summary of the load in {self._folder}: it did not come to an orderly end") from None
        return summary

    def kill(self) -> None:
        """End the generator at once; no-op where it has ended. Samples and journal stay as they are."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(5)
        self._close_pipes()

    def _begin(self, url: str, own_hosts: Collection[str], authority: str) -> Begin:
        accounts = [row["id"] for row in _accounts(self._world)]
        return Begin(
            url=url,
            profile=self._profile,
            seed=self._seed,
            world=str(self._world),
            folder=str(self._folder),
            max_s=self._max_s,
            passwords={account: self._password(account) for account in accounts},
            own_hosts=sorted(own_hosts),
            authority=authority,
        )

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise LoadError("the load has not been started")
        return self._process

    def _send(self, command: Command) -> None:
        pipe = self._running().stdin
        assert pipe is not None
        data = memoryview(msgspec.json.encode(command) + b"\n")
        try:
            while data:
                data = data[pipe.write(data) :]
        except (BrokenPipeError, ValueError):
            raise self._died("the load generator has died") from None

    def _await(self, says: str, deadline: float, progress: Callable[[int, int], None] | None) -> Reply:
        """Read replies until the one wanted."""
        while (reply := self._reply(deadline, says)).says != says:
            if reply.says == "failed":
                raise self._error(f"the load could not begin: {reply.why}")
            if reply.says == "progress" and progress is not None:
                progress(reply.done, self._profile.customers)
        return reply

    def _reply(self, deadline: float, wanted: str) -> Reply:
        pipe = self._running().stdout
        assert pipe is not None
        while b"\n" not in self._unread:
            if not _readable(pipe, deadline - time.monotonic()):
                raise self._died(f"the load generator did not say {wanted!r} in time")
            data = os.read(pipe.fileno(), 65536)
            if not data:
                raise self._died(f"the load generator died before it said {wanted!r}")
            self._unread += data
        line, self._unread = self._unread.split(b"\n", 1)
        return msgspec.json.decode(line, type=Reply)

    def _error(self, what: str) -> LoadError:
        return LoadError(self._with_last_words(what))

    def _died(self, what: str) -> GeneratorDied:
        return GeneratorDied(self._with_last_words(what))

    def _with_last_words(self, what: str) -> str:
        """What happened, and the end of the generator's log."""
        try:
            words = (self._folder / "load.log").read_text(errors="replace").splitlines()[-5:]
        except OSError:
            words = []  # no log, no last words; the error itself matters more
        return "\n".join([what, *(f"  | {line}" for line in words)])

    def _close_pipes(self) -> None:
        process = self._running()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _accounts(world: Path) -> list[dict[str, Any]]:
    try:
        lines = world.read_bytes().splitlines()
    except OSError as error:
        raise LoadError(f"cannot read the world {world}: {error.strerror}; write it before the load begins") from None
    rows: list[dict[str, Any]] = [msgspec.json.decode(line) for line in lines if b'"account"' in line]
    return [row for row in rows if row["kind"] == "account"]


def _readable(pipe: Any, within_s: float) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        return bool(selector.select(max(within_s, 0)))
