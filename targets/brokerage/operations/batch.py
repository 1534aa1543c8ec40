"""``brokerctl batch …``, ``locks …``, ``session …`` and ``ledger …``: the night batch and what it blocks."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from targets.brokerage.operations.audit import who
from targets.brokerage.operations.calls import TIMEOUT_S, Stack
from targets.brokerage.operations.declared import operation
from targets.brokerage.operations.outcome import CommandResult, NotReached, Refused, done, read
from targets.brokerage.roles import ANYONE, OPERATORS
from targets.operator_tool import Argument, Field, Kind, count, flag, listing, seconds, text, whole

STATES = ("waiting", "running", "held", "cancelled", "failed", "done")
JOBS = ("settlement", "mark-to-market", "margin", "statements", "opening-gate")
"""Of the night batch, in their order."""

STUCK = "stuck"
"""Instead of an account: the one with by far the most work in the chunk that is next, or under way."""

STUCK_IN = """WITH chunk AS (SELECT a.id FROM accounts a WHERE NOT EXISTS
        (SELECT 1 FROM batch_done d, calendar c
            WHERE d.job = 'mark-to-market' AND d.account = a.id AND d.day = c.next) ORDER BY a.id LIMIT %s)
    SELECT account, count(*) AS lots, sum(count(*)) OVER () AS all_lots FROM lots
    WHERE account IN (SELECT id FROM chunk) GROUP BY account ORDER BY lots DESC LIMIT 1"""

ROOT_BLOCKER = "root-blocker"
"""Instead of a pid: the database session that blocks others and is itself blocked by none."""

VERIFY_WITHIN_S = 10.0


def ask(stack: Stack, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The batch service's answer."""
    return stack.ask("batch", method, path, body, VERIFY_WITHIN_S if path.endswith("verify") else TIMEOUT_S)


def status(stack: Stack, args: Namespace) -> CommandResult:
    """``batch status``."""
    found = ask(stack, "GET", "/ops/batch")
    return read(batch_line(found), found)


def batch_line(found: Mapping[str, Any]) -> str:
    """One line on the night."""
    words = [f"batch {found.get('state')}"]
    if found.get("job"):
        words.append(f"{found['job']}: {found.get('done')} of {found.get('total')} accounts")
    if found.get("forecast_s") is not None:
        words.append(f"forecast {found['forecast_s']:.0f} s")
    apart = [f"{each['account']} ({each['done']} of {each['total']} lots)" for each in found.get("isolated", ())]
    if apart:
        words.append(f"isolated: {', '.join(apart)}")
    words += [word for word in ("held", "overdue") if found.get(word)]
    return ", ".join(words)


def hold(stack: Stack, args: Namespace) -> CommandResult:
    """``batch hold``."""
    before = ask(stack, "GET", "/ops/batch")
    if before.get("held"):
        return done("the batch is already held", False, before)
    found = ask(stack, "POST", "/ops/batch/hold", {})
    return done("the batch is held: it stops at its next checkpoint and waits to be resumed", True, found)


def cancel(stack: Stack, args: Namespace) -> CommandResult:
    """``batch cancel``."""
    found = ask(stack, "POST", "/ops/batch/cancel", {})
    return done("the job under way was rolled back to its last checkpoint", True, found)


def resume(stack: Stack, args: Namespace) -> CommandResult:
    """``batch resume [--isolate ACCOUNT|stuck]``."""
    account = isolated(stack, args.isolate)
    found = ask(stack, "POST", "/ops/batch/resume", {"isolate": account})
    return done(f"the batch goes on from its checkpoint{_apart(account)}", True, {**found, "isolate": account})


def rerun(stack: Stack, args: Namespace) -> CommandResult:
    """``batch rerun JOB [--from-start]``."""
    found = ask(stack, "POST", "/ops/batch/rerun", {"job": args.job, "from_start": args.from_start})
    where = "from the start, whatever it had done" if args.from_start else "from its checkpoint"
    return done(f"{args.job} runs again {where}", True, found)


def isolated(stack: Stack, named: str | None) -> str | None:
    """The account meant by ``--isolate``; Refused when it is ``stuck`` and none stands out."""
    if named != STUCK:
        return named
    account = stuck_account(postgres_dsn(stack), stack.config.batch.chunk)
    if account is None:
        raise Refused("no account of the next chunk holds most of its lots; name the one to isolate")
    return account


def postgres_dsn(stack: Stack) -> str:
    """Straight to the server, as an operator's own query goes."""
    from targets.brokerage.postgres import dsn  # slow to import, and needed by this one command

    host, port = stack.config.at("postgres")
    return dsn(port, host)


def stuck_account(dsn: str, chunk: int) -> str | None:
    """The account with more than half of all lots of the first ``chunk`` accounts that are not marked; NotReached."""
    import psycopg  # slow to import, and needed by this one command

    from targets.brokerage.direct import connect

    try:
        with connect(dsn, connect_timeout=2, options="-c statement_timeout=3000") as connection:
            row = connection.execute(STUCK_IN, [chunk]).fetchone()
    except psycopg.Error as error:
        raise NotReached(f"the database does not say whose lots they are: {str(error).strip()}") from error
    return str(row[0]) if row is not None and 2 * row[1] > row[2] else None


def _apart(account: str | None) -> str:
    return f", {account} apart from the others" if account else ""


def verify(stack: Stack, args: Namespace) -> CommandResult:
    """``batch verify``."""
    found = ask(stack, "GET", "/ops/batch/verify")
    says = {
        "ledger_is_cash": "cash is not what the ledger says",
        "one_variation_each": "some accounts have more than one variation for the day",
        "executions_clean": "executions do not agree with the exchange",
    }
    against = [words for fact, words in says.items() if found.get(fact) is not True]
    if found.get("unmarked"):
        against.append(f"{found['unmarked']} accounts are not marked")
    if not against:
        apart = found.get("isolated_unmarked")
        return read(
            "the night's books agree, every account is marked" + (f" but {apart} isolated" * bool(apart)), found
        )
    return read(f"the night's books are NOT right: {', '.join(against)}", found)


def locks(stack: Stack, args: Namespace) -> CommandResult:
    """``locks show``."""
    found = ask(stack, "GET", "/ops/locks")
    if not found.get("blockers"):
        return read("nobody blocks anybody", found)
    says = (
        f"{found.get('job')} (pid {found.get('pid')}) blocks {found.get('waiting')} others"
        f" for {float(found.get('seconds') or 0):.1f} s"
    )
    more = int(found["blockers"]) - 1
    return read(says + (f"; {more} more block as well" if more > 0 else ""), found)


def root_blocker(stack: Stack) -> int:
    """The pid of the root blocker; Refused when nobody blocks anybody."""
    pid = ask(stack, "GET", "/ops/locks").get("pid")
    if not pid:
        raise Refused("nobody blocks anybody: there is no root blocker")
    return int(pid)


def terminate(stack: Stack, args: Namespace) -> CommandResult:
    """``session terminate PID|root-blocker``."""
    found = ask(stack, "POST", "/ops/sessions/terminate", {"pid": args.pid})
    pid = found.get("pid", args.pid)
    job = f" ({found['job']})" if found.get("job") else ""
    return done(f"session {pid}{job} was ended; what it had not committed is undone", True, found)


def adjust(stack: Stack, args: Namespace) -> CommandResult:
    """``ledger adjust --account A --yen N --reason … --request … --approver …``."""
    if args.approver.strip() in ("", who(), args.role):
        raise Refused("whoever enters an adjustment may not approve it; name somebody else as --approver")
    body = {name: getattr(args, name) for name in ("account", "yen", "reason", "request", "approver")}
    found = stack.api("POST", "/ops/ledger/adjust", body)
    says = f"{args.account} was adjusted by {args.yen:+,} yen as {found.get('reference')} ({args.reason})"
    return done(says, True, found)


NOUNS = {
    "batch": "the night batch",
    "locks": "who waits for whom in the database",
    "session": "sessions of the database",
    "ledger": "correcting entries",
}

BATCH: Mapping[str, Field] = {
    "state": text(*STATES),
    "job": text("", *JOBS),  # none before the first
    "attempt": count(),
    "done": count(),
    "total": count(),
    "held": flag(),
    "pid": count().or_null(),
    "forecast_s": seconds().or_null(),
    "opening_s": seconds(least=None),  # negative once it should have opened
    "overdue": flag(),
    "isolated": listing(),
    "jobs": listing(),
}
"""What the batch says of itself."""

VERIFIED: Mapping[str, Field] = {
    "ledger_is_cash": flag(),
    "one_variation_each": flag(),
    "unmarked": count(),
    "isolated_unmarked": count(),
    "different": listing(),
    "twice": listing(),
    "twice_count": count(),
    "executions_clean": flag(),
}
BLOCKERS: Mapping[str, Field] = {
    "blockers": count(),
    "pid": count().or_null(),
    "job": text(),  # a session that is none of the batch's is called what it calls itself
    "seconds": seconds(),
    "waiting": count(),
}

PID = Argument(
    "pid", f"number, or {ROOT_BLOCKER}: the database session that blocks others and waits for none", Kind.WHOLE,
    only=(ROOT_BLOCKER,), shown=f"PID|{ROOT_BLOCKER}",
)  # fmt: skip
ISOLATE = f"take this account out of its chunk, block by block; {STUCK}: the one with most of the chunk's lots"
AGAIN = "ignore the checkpoint: what was done is done again, and what was posted is posted again"
ADJUST = "ledger adjust --account C-0650 --yen 120000 --reason 'acted on a wrong figure' --request R-17"

OPERATIONS = (
    operation(
        status, "batch status", "which job, how far, and until when by forecast", ANYONE, BATCH, read_only=True
    ),
    operation(
        verify, "batch verify", "do the night's books agree, and has every account been marked once?", ANYONE, VERIFIED,
        read_only=True, verifies=True,
    ),
    operation(hold, "batch hold", "stop at the next checkpoint and wait to be resumed", OPERATORS, BATCH),
    operation(
        cancel, "batch cancel", "roll the job under way back to its last checkpoint, now", OPERATORS, BATCH
    ),
    operation(
        resume, "batch resume", "go on from the checkpoint", OPERATORS, {**BATCH, "isolate": text().or_null()},
        Argument("--isolate", ISOLATE, optional=True, shown=f"ACCOUNT|{STUCK}"),
        examples=("batch resume", f"batch resume --isolate {STUCK}"),
    ),
    operation(
        rerun, "batch rerun", "run a job again, from its checkpoint unless told otherwise", OPERATORS, BATCH,
        Argument("job", only=JOBS), Argument("--from-start", AGAIN, Kind.FLAG, optional=True),
        examples=("batch rerun statements",),
    ),
    operation(
        locks, "locks show", "the root blocker: job, pid, since when, how many wait", ANYONE, BLOCKERS, read_only=True
    ),
    operation(
        terminate, "session terminate", "end one session of the database; what it had not committed is undone",
        OPERATORS, {"terminated": flag(True), "pid": count(), "job": text()}, PID,
        examples=(f"session terminate {ROOT_BLOCKER}",),
    ),
    operation(
        adjust, "ledger adjust",
        "post a correcting entry that can be traced; nothing that was posted is ever changed", OPERATORS,
        {"reference": text(), "account": text(), "yen": whole()},
        Argument("--account"),
        Argument("--yen", "to the customer; negative: from the customer", Kind.WHOLE),
        Argument("--reason"),
        Argument("--request", "the request or incident it answers"),
        Argument("--approver", "somebody else than who enters it"),
        examples=(f"{ADJUST} --approver head-of-operations",),
    ),
)  # fmt: skip
