"""The command line of ``brokerctl``."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from targets.brokerage.config import SERVICES
from targets.brokerage.operations import batch, host, overview, services, session
from targets.brokerage.operations.calls import Stack
from targets.brokerage.operations.outcome import CommandResult
from targets.brokerage.roles import Role

Command = Callable[[Stack, Namespace], CommandResult]

ABOUT = """The operator's tool of the brokerage. Every command names the role it is given with and the environment it
is meant for; each is written to the audit log, also when it is refused."""

EXITS = "exit status: 0 done, 1 refused (nothing was changed), 2 failed half-way (what to check is said)"

CALL = "brokerctl --role operator --env drill"
LINKS = ("A", "B")
JOBS = ("settlement", "mark-to-market", "margin", "statements", "opening-gate")
"""Of the night batch, in their order."""


class UsageError(Exception):
    """A command line that is not understood; the message has the usage line with it."""


class _Parser(argparse.ArgumentParser):
    """Raises UsageError where argparse would end the process with a status that means something else here."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        own: dict[str, Any] = {"formatter_class": argparse.RawDescriptionHelpFormatter, "allow_abbrev": False}
        super().__init__(*args, **{**own, **kwargs})

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}\n{self.format_usage().strip()}")


def parse(argv: Sequence[str]) -> Namespace:
    """``command`` (such as ``gateway use-link``), ``run`` and the options. UsageError; SystemExit 0 after --help."""
    return _parser().parse_args(argv)


def stack_named_in(argv: Sequence[str]) -> str | None:
    """The ``--stack`` of a command line that may not be understood otherwise."""
    for word, following in zip(argv, [*argv[1:], ""], strict=False):
        if word == "--stack":
            return following or None
        if word.startswith("--stack="):
            return word.removeprefix("--stack=") or None
    return None


def _parser() -> _Parser:
    top = _Parser("brokerctl", description=ABOUT, epilog=_examples("status", "service close orders"))
    top.add_argument("--stack", metavar="DIR", help="folder of the stack (default: $KUNREN_STACK)")
    top.add_argument(
        "--role", required=True, choices=[str(role) for role in Role], metavar="ROLE", help=" | ".join(Role)
    )
    top.add_argument("--env", required=True, metavar="ENV", help="environment the command is meant for, such as drill")
    top.add_argument("--json", action="store_true", help="answer with one JSON object")
    top.set_defaults(force=False)
    nouns = top.add_subparsers(metavar="NOUN", required=True, dest="noun")
    _add(nouns, "status", overview.status, "processes, gates and the exchange session", "status")
    _add(nouns, "reconcile", session.reconcile, "compare the books with the exchange's", "reconcile")
    _service(nouns)
    _balances(nouns)
    _gateway(nouns)
    _customers(nouns)
    _host(nouns)
    _batch(nouns)
    _locks(nouns)
    _ledger(nouns)
    return top


def _examples(*commands: str) -> str:
    return "\n".join(["examples:", *(f"  {CALL} {command}" for command in commands), "", EXITS])


def _noun(nouns: argparse._SubParsersAction[_Parser], name: str, says: str) -> argparse._SubParsersAction[_Parser]:
    parser = nouns.add_parser(name, help=says, description=says)
    return parser.add_subparsers(metavar="VERB", required=True, dest="verb")


def _add(
    verbs: argparse._SubParsersAction[_Parser], name: str, run: Command, says: str, *examples: str
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=says, description=says, epilog=_examples(*examples))
    parser.set_defaults(run=run)
    return parser


def _force(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="overrule what the system finds against it (duty manager)")


def _service(nouns: argparse._SubParsersAction[_Parser]) -> None:
    verbs = _noun(nouns, "service", "open and close services to customers")
    shut = _add(verbs, "close", services.close_service, "refuse customers, telling them so", "service close orders")
    shut.add_argument("name", choices=SERVICES)
    says = "serve customers again; orders only while the books agree with the exchange"
    opening = _add(verbs, "open", services.open_service, says, "service open orders")
    opening.add_argument("name", choices=SERVICES)
    _force(opening)


def _balances(nouns: argparse._SubParsersAction[_Parser]) -> None:
    verbs = _noun(nouns, "balances", "say whether the balances shown are current")
    says = "show customers that balances may be out of date"
    _add(verbs, "mark-not-current", services.mark_not_current, says, "balances mark-not-current")
    says = "show balances as current again; only while the books agree"
    _force(_add(verbs, "mark-current", services.mark_current, says, "balances mark-current"))


def _gateway(nouns: argparse._SubParsersAction[_Parser]) -> None:
    verbs = _noun(nouns, "gateway", "the session with the exchange")
    _add(verbs, "status", session.status, "session, link, last heartbeat, open questions", "gateway status")
    probing = _add(verbs, "probe", session.probe, "does the exchange answer on a link?", "gateway probe B")
    probing.add_argument("link", choices=LINKS)
    using = _add(verbs, "use-link", session.use_link, "log on through the other link", "gateway use-link B")
    using.add_argument("link", choices=LINKS)
    says = "restart the numbering at 1: what the exchange had still to resend is given up"
    using.add_argument("--reset-sequence", action="store_true", help=says)
    says = "ask the exchange what became of each unknown order"
    _add(verbs, "resolve", session.resolve, says, "gateway resolve")
    says = "send every unknown order again, as a new order: those the exchange has are then there twice"
    _add(verbs, "resend", session.resend, says, "gateway resend")
    says = "wait until the executions agree and the notices are out"
    draining = _add(verbs, "drain", session.drain, says, "gateway drain --within 20")
    draining.add_argument("--within", type=_seconds, default=session.DRAIN_WITHIN_S, metavar="S", help="default: 20")


def _customers(nouns: argparse._SubParsersAction[_Parser]) -> None:
    customers = _noun(nouns, "customers", "who was hit")
    says = "customers with unknown orders, or late or missing executions"
    asking = _add(customers, "affected", services.affected, says, "customers affected --since 120s")
    asking.add_argument("--since", required=True, metavar="WHEN", help="120s ago, or an instant in monotonic ns")
    notices = _noun(nouns, "notices", "execution notices to customers")
    _add(notices, "resend", services.resend_notices, "release held notices, once per execution", "notices resend")


def _host(nouns: argparse._SubParsersAction[_Parser]) -> None:
    verbs = _noun(nouns, "host", "the brokerage's own processes")
    restarting = _add(verbs, "restart", host.restart, "end a service and start it again", "host restart gateway")
    restarting.add_argument("service", choices=host.HOSTED)
    killing = _add(
        verbs, "kill", host.kill, "send a signal to a process of the brokerage", "host kill --signal TERM 4711"
    )
    killing.add_argument("--signal", required=True, metavar="N", help="number or name")
    _pid(killing)


def _pid(parser: argparse.ArgumentParser) -> None:
    says = f"number, or {batch.ROOT_BLOCKER}: the database session that blocks others and waits for none"
    parser.add_argument("pid", type=_pid_or_blocker, metavar=f"PID|{batch.ROOT_BLOCKER}", help=says)


def _batch(nouns: argparse._SubParsersAction[_Parser]) -> None:
    verbs = _noun(nouns, "batch", "the night batch")
    _add(verbs, "status", batch.status, "which job, how far, and until when by forecast", "batch status")
    says = "do the night's books agree, and has every account been marked once?"
    _add(verbs, "verify", batch.verify, says, "batch verify")
    _add(verbs, "hold", batch.hold, "stop at the next checkpoint and wait to be resumed", "batch hold")
    _add(verbs, "cancel", batch.cancel, "roll the job under way back to its last checkpoint, now", "batch cancel")
    says = "go on from the checkpoint"
    resuming = _add(verbs, "resume", batch.resume, says, "batch resume", f"batch resume --isolate {batch.STUCK}")
    says = f"take this account out of its chunk, block by block; {batch.STUCK}: the one with most of the chunk's lots"
    resuming.add_argument("--isolate", metavar=f"ACCOUNT|{batch.STUCK}", help=says)
    says = "run a job again, from its checkpoint unless told otherwise"
    again = _add(verbs, "rerun", batch.rerun, says, "batch rerun statements")
    again.add_argument("job", choices=JOBS)
    says = "ignore the checkpoint: what was done is done again, and what was posted is posted again"
    again.add_argument("--from-start", action="store_true", help=says)


def _locks(nouns: argparse._SubParsersAction[_Parser]) -> None:
    locks = _noun(nouns, "locks", "who waits for whom in the database")
    _add(locks, "show", batch.locks, "the root blocker: job, pid, since when, how many wait", "locks show")
    sessions = _noun(nouns, "session", "sessions of the database")
    says = "end one session of the database; what it had not committed is undone"
    _pid(_add(sessions, "terminate", batch.terminate, says, f"session terminate {batch.ROOT_BLOCKER}"))


def _ledger(nouns: argparse._SubParsersAction[_Parser]) -> None:
    verbs = _noun(nouns, "ledger", "correcting entries")
    words = "ledger adjust --account C-0650 --yen 120000 --reason 'acted on a wrong figure' --request R-17"
    says = "post a correcting entry that can be traced; nothing that was posted is ever changed"
    adjusting = _add(verbs, "adjust", batch.adjust, says, f"{words} --approver head-of-operations")
    adjusting.add_argument("--account", required=True)
    adjusting.add_argument("--yen", type=int, required=True, help="to the customer; negative: from the customer")
    adjusting.add_argument("--reason", required=True)
    adjusting.add_argument("--request", required=True, help="the request or incident it answers")
    adjusting.add_argument("--approver", required=True, help="somebody else than who enters it")


def _pid_or_blocker(text: str) -> int | str:
    return text if text == batch.ROOT_BLOCKER else int(text)


def _seconds(text: str) -> float:
    value = float(text.removesuffix("s"))
    if not 0 < value <= 60:
        raise argparse.ArgumentTypeError("more than 0 and at most 60 seconds")
    return value
