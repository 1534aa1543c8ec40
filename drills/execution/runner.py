"""One run of a drill, from an empty folder to a sealed one: the only part of the harness that acts.

The order is fixed: write down what is intended; let the reaper watch over us; start load generator and target; have
the target prove that it is a drill target; let the customers in; pass the steady-state gate; inject; watch, and let the
operator act; snapshot the books *before* anything is undone; undo and look that nothing is left; stop; seal. Whatever
goes wrong on the way, the faults are undone and everything is stopped; the folder stays, and says how far it came.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from drills.domains.registry import DOMAINS
from drills.errors import KunrenError, MissingMeans, Refused
from drills.execution.events import Emit
from drills.execution.guard import Unguarded
from drills.execution.injector import Injector
from drills.execution.instrument import HARNESS, LOAD, Instrument, Reserve, keep_trace
from drills.execution.machine import libraries, machine, wall_offset
from drills.execution.observation import Observation, PersonsTerminal
from drills.execution.openfiles import provide, refuse_lack
from drills.execution.reaper import guarded
from drills.execution.registering import enter_begun
from drills.execution.reporter import Reporter
from drills.execution.stepping import Steppable, most_arrivals
from drills.execution.watch import View
from drills.exits import EXITS
from drills.interrupts import HungUp, Terminated, left_in_peace, signals_held
from drills.judge.schedule import longest
from drills.operators.actions import Actions
from drills.record.books import ALWAYS
from drills.record.folder import RunFolder, StoreError
from drills.record.history import NS, Kind, Plan, RunEnd, RunRecord
from drills.record.names import TARGET
from drills.spec.library import library
from drills.spec.request import RunRequest, asked, plan_of, runbook_for
from drills.spec.runbook import Runbook
from drills.spec.target import profile_of, system
from loadprofiles.process import Load, LoadError
from targets.own_errors import kind_of
from targets.runtime import Request
from targets.target import ProbeResult, Startable, StartFailed, TargetError, Unlabelled, offered

T = TypeVar("T")

LOAD_LEAD_S = 0.3
"""Between the word to begin and the first arrival."""

LOAD_SPARE_S = 5.0
"""Arrivals beyond the longest observation, so that none of it is without a load."""

AFTER_LOAD_S = 16.0
"""For the customers' last requests, and for asking what became of the unknown ones."""


class RunFailed(KunrenError):
    """The run could not go on; its folder is kept and its card says invalid."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A sealed run folder, and what ended the run early: RunFailed, Refused (not labelled, or not to be started),
    KeyboardInterrupt or Terminated (HungUp is one). ``end`` is None where it could not be written."""

    folder: Path
    error: BaseException | None
    end: RunEnd | None


def run(request: RunRequest, emit: Emit, actions: Actions | None = None) -> Finished:
    """Carry out one run in this process. ``emit`` takes what happens: Started to the last change of phase.

    ``actions``: where those of a person come, in a run in which one acts.

    Raises Refused when nothing was started. Raises this process's soft limit of open files where need be. However a
    run ends, everything is undone and stopped, and its folder is sealed; what cut it short is handed back, for the
    caller to judge the folder first.
    """
    runbook = runbook_for(request)
    runbooks = {} if runbook is None else library(request.drill, runbook)
    plan = plan_of(request, runbook)
    provide(refuse_lack(request))
    runtime = system(request.target)
    began = time.monotonic_ns()
    folder = RunFolder.create(request.runs, plan.drill, plan.arm, plan.seed, datetime.now(UTC), DOMAINS.books)
    wanted = Request(
        run=folder.name,
        seed=plan.seed,
        phase=plan.phase,
        start=request.drill.business_start,
        compression=plan.compression,
        logs=folder.logs,
        proxy=request.proxy,
        settings=plan.settings,
    )
    try:
        target = runtime.make(wanted)
    except TargetError as error:
        folder.discard()
        raise MissingMeans([str(error)]) from error
    return _Run(request, plan, runbook, runbooks, folder, target, began, emit, actions).carry_out()


class _Run:
    """The state of one run while it goes on."""

    def __init__(
        self,
        request: RunRequest,
        plan: Plan,
        runbook: Runbook | None,
        runbooks: Mapping[str, Runbook],
        folder: RunFolder,
        target: Startable,
        began: int,
        emit: Emit,
        actions: Actions | None,
    ) -> None:
        self.actions = actions
        self.request, self.plan, self.folder = request, plan, folder
        self.runbook, self.runbooks = runbook, runbooks
        self.target = target
        self.customers_rows: int | None = None  # known once the load has stopped in order
        offered_books = target.capabilities().books
        self.view = View.of(plan)
        self.reporter = Reporter(self.view, emit)
        self.scratch = folder.path / "work"
        self.load = Load(
            profile_of(request.drill.load, target.capabilities()),
            self.scratch,
            seed=plan.seed,
            world=folder.path / "books" / "world.jsonl",
            password=target.password,
            max_s=longest(plan) / NS + LOAD_SPARE_S,
        )
        self.record = RunRecord(
            schema="kunren.run/2",
            run=folder.name,
            plan=plan,
            started=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            t0=began,
            kunren=version("kunren"),
            subject=request.subject,
            target=request.target,
            engines={},
            machine=machine(),
            clock={"start": wall_offset()},
            attempts=request.attempts,
            books=[*ALWAYS, *offered_books],
            own_books=[name for name in offered_books if name in target.capabilities().own_books],
            libraries=libraries(),
            asked=asked(request),
            earlier=list(request.earlier),
            unsupported=list(target.capabilities().unsupported),
            own_parts=[HARNESS, LOAD],
        )
        self.injector = Injector(plan, target, self._note_fault, folder.rollback.append, Steppable(self.load))
        self.instrument = Instrument(self._note, self.scratch / "load.log")
        self.reserve = Reserve()

    def carry_out(self) -> Finished:
        """All of it; the record's end says how it ended."""
        try:
            cause = self._sealed()
        except (KeyboardInterrupt, Terminated) as error:
            cause = error  # it came while sealing, and waited for that: the run itself is whole
        return Finished(self.folder.path, cause, self.record.end)

    def _sealed(self) -> BaseException | None:
        """From the first note to the seal; what cut it short."""
        cause: BaseException | None = None
        self.reporter.started(self.folder.name, str(self.folder.path))
        self._note("runner", Kind.INFO, "started", {"arm": self.plan.arm, "seed": self.plan.seed})
        end = RunEnd(0, "error", "the harness failed")
        try:
            self._write_inputs()
            end = self._with_everything_up()
        except Unlabelled as error:
            end, cause = RunEnd(0, "refused", str(error)), Refused(str(error), "nothing was injected")
        except StartFailed as error:
            kept = error.followed_by(f"nothing was injected, and what there is to see is kept in {self.folder.path}")
            end, cause = RunEnd(0, "refused", str(error)), Refused(kept.words())
        except Refused as error:
            end, cause = RunEnd(0, "refused", str(error)), error
        except (TargetError, LoadError, StoreError, Unguarded, OSError) as error:
            self.instrument.failed(error)
            end, cause = RunEnd(0, "error", str(error)), RunFailed(str(error))
        except KeyboardInterrupt as error:
            end, cause = RunEnd(0, "interrupted", "stopped by Ctrl-C; everything was undone"), error
        except HungUp as error:
            end, cause = RunEnd(0, "hung-up", "stopped by SIGHUP; everything was undone"), error
        except Terminated as error:
            end, cause = RunEnd(0, "terminated", "stopped by SIGTERM; everything was undone"), error
        except Exception as error:  # noqa: BLE001  # ours, and no reason to leave the run without its end and card
            self.instrument.failed(error)
            keep_trace(error, self.folder.logs / "harness.log")
            says = f"the harness failed: {type(error).__name__}: {error}"
            end, cause = RunEnd(0, "error", says), RunFailed(f"{says} (see logs/harness.log in the run folder)")
        finally:
            with signals_held():
                cause = self._closed(end, cause)
        return cause

    def _closed(self, end: RunEnd, cause: BaseException | None) -> BaseException | None:
        """What cut the run short, be it that it cannot be sealed: what there is can be judged all the same."""
        try:
            self._close(end)
        except (StoreError, OSError) as error:
            return cause or RunFailed(f"the run could not be sealed: {error}")
        return cause

    def _write_inputs(self) -> None:
        own = self.runbook
        beside = {name: each.content for name, each in self.runbooks.items() if each is not own}
        self.folder.copy_inputs(self.request.drill.content, None if own is None else own.content, beside)
        described = system(self.request.target).source
        if described is not None:
            (self.folder.path / TARGET).write_bytes(described)
        self.folder.write_book("world", self.target.world())
        self.record = msgspec.structs.replace(self.record, register=enter_begun(self.request, self.record))
        self.folder.write_run(self.record)

    def _with_everything_up(self) -> RunEnd:
        self.reporter.phase("starting")
        self.reporter.sample()
        self.load.start()
        try:
            self._note("runner", Kind.INVOKE, "target")
            with guarded(self.folder.path, self.folder.rollback.append, self.target), left_in_peace(self.target):
                return self._with_target()
        finally:
            self.load.kill()

    def _with_target(self) -> RunEnd:
        shown = self.target.handshake()  # before anything is done to it, be it an undo
        try:
            self.target.proxies().reset()  # heal first: nothing of an earlier run may be in the way
            self._ready(shown)
            self._measure_capacity()
            self.reporter.phase("logging customers in")
            self.load.prepare(
                self.target.customers_url(), within_s=40, own_hosts=self.target.own_hosts(),
                authority=self.target.customers_authority(),
            )  # fmt: skip
            self._note("load", Kind.INFO, "ready")
            return self._observed()
        finally:
            self.reserve.release()
            with signals_held():
                self._undo_all()
                self.instrument.take(self.target)

    def _ready(self, shown: ProbeResult) -> None:
        self.record = msgspec.structs.replace(
            self.record,
            ready=time.monotonic_ns(),
            engines=dict(self.target.engines()),
            own_parts=self.instrument.begin(self.target),
        )
        self.folder.write_run(self.record)
        self._note("runner", Kind.OK, "target", {"handshake": shown.says, "engines": self.record.engines})

    def _measure_capacity(self) -> None:
        """Of the services whose load is to be stepped up, while nobody uses them."""
        usual = self.plan.services
        for service, most in most_arrivals(self.plan, usual).items():
            self.reporter.phase("measuring what it takes")
            gauge = self.target.gauge
            per_s = None if gauge is None else gauge.capacity(service)
            told = {"service": service, "per_s": per_s, "usual_per_s": usual[service], "most_per_s": most}
            self._note("runner", Kind.INFO, "capacity", told)

    def _observed(self) -> RunEnd:
        self.injector.intend()
        t0 = time.monotonic_ns() + int(LOAD_LEAD_S * NS)
        if (clock := self.target.business_clock) is not None:
            clock.open_day(t0)
        self.load.go(t0)
        self._note("load", Kind.INFO, "started", {"t0": t0})
        observation = Observation(
            self.plan, self.runbooks, self.target, self.load, self.view, self._note, self.injector, self.reporter,
            self.request.drill.stop_if, self._person(),
        )  # fmt: skip
        reason = asyncio.run(result_or_error(observation.watch(t0)))
        if isinstance(reason, BaseException):
            raise _first(reason)
        self.reporter.phase("taking the books")
        end = self._stop_load(RunEnd(0, reason))
        lost = [name for name in self.target.capabilities().books if not self._keep_book(name)]
        self._note("runner", Kind.FAIL if lost else Kind.OK, "snapshot", {"lost": lost})
        self.instrument.take(self.target)
        return end

    def _person(self) -> PersonsTerminal | None:
        """What a person needs; the run's folder is called as the drill is, and so not told."""
        if self.actions is None:
            return None
        told = [line for line in self.target.by_hand() if str(self.folder.path) not in line]
        return PersonsTerminal(self.actions, tuple(told))

    def _stop_load(self, end: RunEnd) -> RunEnd:
        """An end in error when the load failed; that must not cost the books."""
        try:
            summary = self.load.stop(AFTER_LOAD_S)
        except LoadError as error:
            self.instrument.failed(error)
            return RunEnd(0, "error", str(error))
        self._note("load", Kind.INFO, "stopped", summary)
        self.customers_rows = summary["rows"]
        if summary["abandoned"]:
            return RunEnd(
                0, "error", f"the load lost {summary['abandoned']} arrivals by an error of its own: see load.log"
            )
        return end

    def _keep_book(self, name: str) -> bool:
        """Whether the book could be read; one that could not must not cost the others."""
        try:
            self.folder.write_book(name, offered(self.target.books, "books").book(name))
        except TargetError as error:
            if kind_of(error) is not None:
                self.instrument.failed(error)
            self._note("runner", Kind.FAIL, "book", {"book": name, "says": str(error)})
            return False
        return True

    def _undo_all(self) -> None:
        self.reporter.phase("undoing")
        self.injector.rollback_all()

    def _close(self, end: RunEnd) -> None:
        """Write what is still missing and seal, however the run ended."""
        self.reporter.phase("sealing")
        self.reserve.release()
        end = self._keep_the_load(end)
        self.instrument.close()
        if (self.scratch / "load.log").exists():
            shutil.copyfile(self.scratch / "load.log", self.folder.logs / "load.log")
        shutil.rmtree(self.scratch, ignore_errors=True)
        self._note("runner", Kind.INFO, "finished", {"reason": end.reason, "says": end.says})
        clock = {**self.record.clock, "end": wall_offset()}
        end = msgspec.structs.replace(end, t=time.monotonic_ns(), exit=EXITS.get(end.reason))
        ended = msgspec.structs.replace(self.record, clock=clock, end=end)
        self.folder.write_run(ended)
        self.record = ended
        self.folder.seal()

    def _keep_the_load(self, end: RunEnd) -> RunEnd:
        """Take over what the load has written; an end in error when that cannot be taken."""
        try:
            self._write_samples()
            self._write_customers()
        except (StoreError, OSError, msgspec.DecodeError) as error:
            self.instrument.failed(error)
            return RunEnd(0, "error", f"{end.says}; {error}" if end.says else str(error))
        return end

    def _write_samples(self) -> None:
        records = self.scratch / "samples.bin"
        if records.exists():
            self.folder.write_samples(records, tuple(self.plan.services))

    def _write_customers(self) -> None:
        journal = self.scratch / "customers.jsonl"
        if not journal.exists():
            return
        self.folder.write_book("customers", _rows(journal.read_bytes()), self.customers_rows)

    def _note_fault(self, actor: str, kind: str, what: str, data: Mapping[str, Any]) -> None:
        if "own" in data:
            self.instrument.own(data["own"], f"{actor} {what}: {data['says']}")
        self._note(actor, Kind(kind), what, data)
        self.reporter.fault(int(actor.removeprefix("fault:")), Kind(kind), what, data)

    def _note(self, actor: str, kind: Kind, what: str, data: Mapping[str, Any] | None = None) -> None:
        self.folder.events.append(actor, kind, what, data)


async def result_or_error(watching: Coroutine[Any, Any, T]) -> T | BaseException:
    """What it comes to, or what ended it: a signal may be raised in any step of any of its tasks.

    Raised out of the loop's main task it would be passed on, and its traceback printed as well, as that of a task whose
    exception nobody has asked for.
    """
    try:
        return await watching
    except BaseException as error:  # noqa: BLE001 (handed to the caller, who raises it)
        return error


def _first(error: BaseException) -> BaseException:
    """The first real error in a group of tasks that ended together."""
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def _rows(journal: bytes) -> Iterator[dict[str, Any]]:
    """Whole lines only: a killed load may leave a torn last one."""
    for line in journal.split(b"\n")[:-1]:
        yield msgspec.json.decode(line)
