"""The load generator's process, ``loadprofiles.generator PARENT-PID``, started by ``process.Load``.

Commands come as JSON lines on stdin, replies go as JSON lines to stdout. It imports Locust while the target still
starts, logs everybody in when told where the target is, lets customers come from a given instant, and ends when stdin
closes. When its parent dies the kernel kills it.
"""

from __future__ import annotations

# ruff: noqa: I001  # Locust comes first: importing it patches the standard library for gevent
import locust
import locust.env
import locust.event

import gc
import os
import random
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gevent
import msgspec
from gevent.event import Event
from gevent.fileobject import FileObject

from loadprofiles.arrivals import additional, schedule
from loadprofiles.commands import (
    LONGEST_S, Begin, Command, EndStep, Go, LookAtStep, Reply, Step, Stepped, Stop, permitted,
)  # fmt: skip
from loadprofiles.connection import Connection, Server
from loadprofiles.client import Customer, Client
from loadprofiles.open_model import OpenModel, LoginFailed
from loadprofiles.journal import Journal
from loadprofiles.own import OwnErrors
from loadprofiles.profiles import Profile
from loadprofiles.replies import Answer
from loadprofiles.samples import OutcomeCode
from loadprofiles.tickets import Means, World, read_world
from targets.parents import die_with_parent

IS_IT_UP = "is the target up, and made from the same seed?"


class OpenModelUser(locust.User):  # type: ignore[misc]  # Locust has no types
    """The one Locust user: it does not wait for replies, it lets customers in by the schedule."""

    fixed_count = 1
    opens: Event
    model: OpenModel
    own: OwnErrors
    t0 = 0

    @locust.task  # type: ignore[untyped-decorator]
    def let_customers_in(self) -> None:
        """Wait for the instant to be named, then serve until the load ends."""
        self.opens.wait()
        try:
            self.model.open(type(self).t0)
        except Exception as error:  # noqa: BLE001  # Locust would log it and let everybody in once more
            self.own.note(error, "schedule")
        raise locust.exception.StopUser


class Generator:
    """Obeys the commands, one after the other."""

    def __init__(self, replies: int, own: OwnErrors) -> None:
        self._replies = replies
        self._own = own
        self._folder = Path()
        self._model: OpenModel | None = None
        self._profile: Profile | None = None
        self._seed = 0
        self._only: dict[str, list[int]] = {}
        self._runner: Any = None
        self._flusher: Any = None

    def say(self, says: str, **facts: Any) -> None:
        """One reply to the harness."""
        os.write(self._replies, msgspec.json.encode(Reply(says, **facts)) + b"\n")

    def obey(self, commands: Iterator[bytes]) -> int:
        """Exit code: 0 after an orderly stop, 1 when log-in failed, 2 when the harness went away."""
        decoder = msgspec.json.Decoder(Command)
        self.say("imported")
        for line in commands:
            match decoder.decode(line):
                case Begin() as begin:
                    try:
                        self._begin(begin)
                    except LoginFailed as error:
                        ours = ", ".join(self._own.counts)
                        hint = f"the generator's own error: {ours}" if ours else IS_IT_UP
                        self.say("failed", why=f"log-in of {error}; {hint}")
                        return 1
                    except (ValueError, LookupError, OSError) as error:  # a world that cannot be read or does not fit
                        self._own.note_if_own(error, "begin")
                        self.say("failed", why=f"{type(error).__name__}: {error}")
                        return 1
                    self.say("ready")
                case Go(t0):
                    OpenModelUser.t0 = t0
                    OpenModelUser.opens.set()
                case Step() | LookAtStep() | EndStep() as asked:
                    self._about_step(asked)
                case Stop():
                    self._stop()
                    self.say("stopped")
                    return 0
        return 2

    def _begin(self, begin: Begin) -> None:
        folder = Path(begin.folder)
        world = read_world(_rows(Path(begin.world)))
        self._only = {"repayment": _borrowers(world, begin.profile.customers)}
        arrivals = schedule(begin.profile, begin.seed, min(begin.max_s, LONGEST_S), self._only)  # bounded here too
        self._profile, self._seed = begin.profile, begin.seed
        client = Client(
            begin.profile, begin.seed, world.instruments, Journal(folder), first_free_row=len(arrivals), own=self._own
        )
        self._model = OpenModel(client, _customers(begin, world), arrivals)
        self._folder = folder
        self._flusher = gevent.spawn(self._model.flush_now_and_then)
        if not begin.profile.urls:
            self._model.log_in(begin.passwords, lambda done: self.say("progress", done=done))
        client.unrated = 0  # log-ins are no part of the load
        self._start_locust(begin.url)
        gc.collect()
        gc.freeze()  # 1,500 customers stay: later collections must not walk them

    def _about_step(self, asked: Step | LookAtStep | EndStep) -> None:
        if isinstance(asked, Step):
            self._step(asked)
            return
        if isinstance(asked, EndStep) and self._model is not None:
            self._model.end_step(asked.name)
        self.say("step", step=Stepped() if self._model is None else self._model.stepped(asked.name))

    def _step(self, step: Step) -> None:
        if self._model is None or self._profile is None or step.service not in self._profile.services:
            return  # nothing more comes, and whoever looks at it sees that
        lasts, only = min(step.lasts_s, LONGEST_S), self._only.get(step.service, ())
        more = additional(self._profile, self._seed, step.service, step.per_s, lasts, step.name, only)
        self._model.step(step.name, more)

    def _start_locust(self, url: str) -> None:
        assert self._model is not None
        OpenModelUser.model, OpenModelUser.own, OpenModelUser.opens = self._model, self._own, Event()
        environment = locust.env.Environment(user_classes=[OpenModelUser], events=locust.event.Events(), host=url)
        self._model.client.report = _reporter(environment)
        self._runner = environment.create_local_runner()
        self._runner.start(1, spawn_rate=1)

    def _stop(self) -> None:
        if self._model is None:
            return
        self._model.close()
        self._flusher.kill()
        try:
            self._model.client.journal.close()
        except OSError as error:  # nothing more can be kept, and that is told; the end goes on in order
            self._own.note(error, "journal")
        summary = msgspec.json.format(msgspec.json.encode(self._summary()), indent=2)
        (self._folder / "load.json").write_bytes(summary + b"\n")
        self._runner.quit()

    def _summary(self) -> dict[str, Any]:
        assert self._model is not None
        return {**self._model.summary(), "rows": self._model.client.journal.written}


def _reporter(environment: Any) -> Any:
    """Feeds Locust's own statistics and listeners; the samples do not come from there."""

    def report(action: str, answer: Answer, milliseconds: float) -> None:
        good = answer.outcome in (OutcomeCode.OK, OutcomeCode.REJECT)
        environment.events.request.fire(
            request_type="HTTP", name=action, response_time=milliseconds, response_length=0,
            exception=None if good else answer.outcome.word, context={},
        )  # fmt: skip

    return report


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for line in file:
            yield msgspec.json.decode(line)


def _borrowers(world: World, customers: int) -> list[int]:
    """Indexes of the customers who have something to repay."""
    return [index for index, account in enumerate(world.accounts[:customers]) if world.means[account].loan > 0]


def _customers(begin: Begin, world: World) -> list[Customer]:
    wanted = begin.profile.customers
    server = Server(*permitted(begin.url, begin.own_hosts), begin.authority)
    patience = begin.profile.patience
    if begin.profile.urls:  # nobody of the world: they have no name to log in with, and nothing to spend
        return [Customer(f"V-{n:05}", Connection(server, patience), Means(0)) for n in range(1, wanted + 1)]
    if len(world.accounts) < wanted or not world.instruments:
        raise ValueError(
            f"{begin.world} has {len(world.accounts)} accounts and {len(world.instruments)} prices; "
            f"profile {begin.profile.name} needs {wanted} accounts and a price"
        )
    profile = begin.profile
    named = (replace(server, name=profile.name_of(index), resumes=profile.resumes_of(index)) for index in range(wanted))
    return [
        Customer(account, Connection(each, patience.of(_draw(begin.seed, account))), world.means[account])
        for account, each in zip(world.accounts, named, strict=False)
    ]


def _draw(seed: int, account: str) -> float:
    """A number in [0, 1) of the customer's own."""
    return random.Random(f"{seed}/{account}/patience").random()


def _tie_to(parent: int) -> None:
    """Die with the harness, whatever ends it."""
    if not die_with_parent(parent):
        sys.exit(2)


def main(arguments: list[str]) -> int:
    """Run until told to stop."""
    _tie_to(int(arguments[0]))
    for number in (signal.SIGINT, signal.SIGHUP):  # they go to the whole terminal; the harness decides how we end
        signal.signal(number, signal.SIG_IGN)
    replies = os.dup(1)
    os.dup2(2, 1)  # a stray print must not look like a reply
    own = OwnErrors()
    own.watch(gevent.get_hub())
    try:
        return Generator(replies, own).obey(iter(FileObject(0, "rb", closefd=False)))
    except Exception as error:  # told of and raised again: whatever it was, it was ours
        own.note(error, "generator")
        raise


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
