"""The scheduler: runs the jobs in order, and stops where it is told to. It repeats nothing by itself.

::

    waiting ──(time to start)──> running ──> done
                                  │  ^
               hold, cancel, error│  │resume, rerun
                                  v  │
                      held | cancelled | failed

``hold`` lets the transaction under way commit; ``cancel`` rolls it back; either way what is committed is the checkpoint
from which ``resume`` goes on. An error, such as the end of the job's session, leaves it failed: people decide.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import psycopg
from psycopg import AsyncConnection

from targets.brokerage import database
from targets.brokerage.batch.jobs import JOBS, SHORT, Counts, GateShut
from targets.brokerage.batch.marking import JOB as MARK
from targets.brokerage.batch.marking import Chunk, Marking, Night, Progress
from targets.brokerage.batch.record import Record
from targets.brokerage.batch.valuer import ValuationFailed, Valuer
from targets.brokerage.config import Config
from targets.brokerage.database import Connection, cut_after

log = logging.getLogger("batch")

PATIENCE = 20
"""How often the end of an attempt is tried to be written down; then the next start of the process finds it lost."""


class Held(Exception):
    """An operator wants the batch to stop at this checkpoint."""


class Conflict(Exception):
    """What was asked for does not fit the state: ``code`` and a sentence."""

    def __init__(self, code: str, says: str) -> None:
        super().__init__(says)
        self.code = code


class Scheduler:
    """One night's batch."""

    def __init__(self, config: Config, record: Record) -> None:
        self._config = config
        self._record = record
        self._valuer = Valuer(config.through("batch-valuation"), config.batch.call_s)
        self._task: asyncio.Task[None] | None = None
        self.night = Night("", "")
        self.state = "waiting"
        self.job = ""
        self.attempt = 0
        self.says = ""
        self.held = False
        self.pid: int | None = None
        self.began_ns = 0
        self.progress = Progress()
        self.states: dict[str, str] = {}

    @property
    def seconds_a_lot(self) -> float | None:
        """How long valuing a lot takes, as seen lately; None before anything was valued."""
        return self._valuer.round_trip_s

    async def recall(self) -> None:
        """Find out where an earlier process left off. psycopg.Error."""
        self.night = await self._record.night()
        found = await self._record.found(self.night.day)
        self.states = {job: run["state"] for job, run in found.items()}
        self._conclude()

    def start(self) -> None:
        """It is time: begin, unless held, begun or done before."""
        if self.state == "waiting" and not self.held:
            self._run(JOBS, False)

    def hold(self) -> None:
        """Stop at the next checkpoint, or do not begin."""
        self.held = True

    async def cancel(self) -> None:
        """Roll back to the last checkpoint and stop. Conflict when nothing runs."""
        if self._task is None:
            raise Conflict("NOT_RUNNING", f"the batch is {self.state}")
        self._task.cancel()
        await asyncio.wait([self._task])

    async def resume(self, isolate: str | None) -> None:
        """Go on from the checkpoint, perhaps with an account taken out of its chunk. Conflict, psycopg.Error."""
        self._refuse_running()
        if isolate is not None and not await self._record.isolate(isolate, self.night.day):
            raise Conflict("NO_SUCH_ACCOUNT", f"no account {isolate}")
        self.held = False
        if self.state != "waiting":
            first = next((job for job in JOBS if self.states.get(job) != "done"), None)
            if first is None:
                raise Conflict("DONE", "the batch is done")
            self._run(JOBS[JOBS.index(first) :], False)

    def rerun(self, job: str, from_start: bool) -> None:
        """Do a job again and all after it; ``from_start`` ignores its checkpoint. Conflict."""
        self._refuse_running()
        if job not in JOBS:
            raise Conflict("NO_SUCH_JOB", f"no job {job}; there are: {', '.join(JOBS)}")
        lacking = [each for each in JOBS[: JOBS.index(job)] if self.states.get(each) != "done"]
        if lacking:
            raise Conflict("OUT_OF_ORDER", f"{job} needs {', '.join(lacking)} first")
        self.held = False
        self._run(JOBS[JOBS.index(job) :], from_start)

    async def stop(self) -> None:
        """The process ends."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._valuer.close()

    def _refuse_running(self) -> None:
        if self._task is not None:
            raise Conflict("RUNNING", f"{self.job} is running: hold or cancel it first")

    def _run(self, jobs: tuple[str, ...], from_start: bool) -> None:
        self.state, self.says, self.began_ns = "running", "", time.monotonic_ns()
        for job in jobs:
            self.states.pop(job, None)
        self._task = asyncio.ensure_future(self._work(jobs, from_start))

    async def _work(self, jobs: tuple[str, ...], from_start: bool) -> None:
        try:
            for place, job in enumerate(jobs):
                self._checkpoint()
                await self._attempt(job, from_start and place == 0)
            self._conclude()
        except Held:
            self.state, self.says = "held", "held at a checkpoint"
        except asyncio.CancelledError:
            self.state, self.says = "cancelled", f"{self.job} was cancelled at its checkpoint"
        except Exception as error:  # whatever it was, the batch stands still until somebody decides
            log.warning("%s failed: %s", self.job, error, exc_info=not isinstance(error, EXPECTED))
            self.state, self.says = (
                "failed",
                f"{self.job}: {str(error).strip().splitlines()[0] if str(error) else error!r}",
            )
        finally:
            self._task, self.pid = None, None

    async def _attempt(self, job: str, from_start: bool) -> None:
        self.job = job
        self.attempt = await self._record.begin(job, self.night.day)
        self.states[job] = "running"
        state, says, counts = "failed", "", Counts(0, 0)
        try:
            counts = await self._on_own_session(job, from_start)
            state = "done"
        except Held:
            state, says, counts = "held", "held at its checkpoint", self._so_far()
            raise
        except asyncio.CancelledError:
            state, says, counts = "cancelled", "rolled back to its checkpoint", self._so_far()
            raise
        except Exception as error:  # whatever ended the attempt is written down beside it, and goes on from here
            says, counts = str(error).strip(), self._so_far()
            raise
        finally:
            self.states[job] = state
            await self._write_down(lambda: self._record.end(job, self.attempt, state, counts, says))

    def _so_far(self) -> Counts:
        return Counts(self.progress.total, self.progress.done) if self.job == MARK else Counts(0, 0)

    async def _on_own_session(self, job: str, from_start: bool) -> Counts:
        """A session of the database for this attempt alone, named after the job."""
        dsn = database.dsn(self._config.through("batch-pg"), f"batch:{job}")
        async with await AsyncConnection.connect(dsn, **database.options()) as connection:
            self.pid = connection.info.backend_pid
            if job == MARK:
                return await self._mark(connection, from_start)
            async with connection.transaction():
                with cut_after(connection, self._config.batch.job_s):
                    return await SHORT[job](connection, self.night, time.monotonic_ns())

    async def _mark(self, connection: Connection, from_start: bool) -> Counts:
        self.progress = Progress()
        marking = Marking(
            connection, self._valuer, self._config.batch, self.night, self.attempt, self.progress,
            self._checkpoint, self._let_go,
        )  # fmt: skip
        if from_start:
            await marking.forget()
        await marking.run()
        return self._so_far()

    async def _let_go(self, chunk: Chunk) -> None:
        await self._write_down(lambda: self._record.chunk(MARK, self.attempt, chunk))

    async def _write_down(self, write: Callable[[], Awaitable[None]]) -> None:
        """What happened is written down even while the database is being restarted; at some point it is given up."""
        for _ in range(PATIENCE):
            try:
                return await write()
            except psycopg.OperationalError as error:
                log.warning("the record waits for the database: %s", str(error).strip())
                await asyncio.sleep(0.2)
        return None

    def _checkpoint(self) -> None:
        if self.held:
            raise Held

    def _conclude(self) -> None:
        """The state that follows from the jobs' states when none runs."""
        if all(self.states.get(job) == "done" for job in JOBS):
            self.state = "done"
        elif self.states:
            last = [self.states[job] for job in JOBS if job in self.states][-1]
            self.state = last if last in ("held", "cancelled", "failed") else "failed"


EXPECTED = (psycopg.Error, ValuationFailed, GateShut, OSError)
