"""``brokerctl``: what an operator types against a running stack.

``brokerctl [--stack DIR] --role ROLE --env ENV [--json] NOUN [VERB] …``; exit 0 done, 1 refused (nothing was changed),
2 failed half-way (what to check is said). With ``--json`` one object: ``ok, exit, says, changed`` and facts.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from targets.brokerage import config as brokerage
from targets.brokerage.operations import audit, grammar
from targets.brokerage.operations.calls import Stack
from targets.brokerage.operations.declared import Operation
from targets.brokerage.operations.outcome import HALF_WAY, REFUSED, CommandResult, Ended, NotReached, Refused, ended
from targets.brokerage.operations.tool import TOOL
from targets.visible import visible, visible_json


def main(argv: Sequence[str] | None = None, *, typed: bool = True) -> int:
    """Run one command line and print its outcome; the exit status. ``typed``: at a terminal, by a person."""
    words = sys.argv[1:] if argv is None else list(argv)
    outcome = run(words, typed=typed)
    if "--json" in words:
        print(visible_json(json.dumps(outcome.as_json(), ensure_ascii=False)))
    else:
        said = "\n".join((outcome.says, *outcome.lines))
        print(visible(said), file=sys.stderr if outcome.exit else sys.stdout)
    return outcome.exit


def run(words: Sequence[str], *, typed: bool = True) -> CommandResult:
    """Carry out one command line, audited; every way it can go wrong is in the outcome."""
    try:
        args = grammar.parse(words)
    except grammar.UsageError as error:
        says, _, usage = str(error).partition("\n")
        refusal = CommandResult(REFUSED, says, False, {"usage": usage}, (usage,))
        return _audited_refusal(words, refusal, typed)
    try:
        stack = _stack(args.stack)
    except Ended as error:
        return ended(error, read_only=True)
    began = time.monotonic_ns()
    outcome = _carry_out(stack, args, words)
    return _audited(stack, args, words, outcome, audit.Given(began, typed))


def _carry_out(stack: Stack, args: Namespace, words: Sequence[str]) -> CommandResult:
    operation: Operation = args.operation
    command, read_only = operation.command.name, operation.command.read_only
    try:
        _permit(stack.config.environment, args, words)
        if not read_only:
            _announce(stack, args, words)
        outcome = operation.run(stack, args)
    except Ended as error:
        return ended(error, read_only)
    except KeyboardInterrupt:
        return CommandResult(HALF_WAY, f"interrupted; check: brokerctl status, then repeat {command}", not read_only)
    except Exception as error:  # noqa: BLE001  # Python's own exit status would be 1: "refused, nothing was changed"
        traceback.print_exc()
        return CommandResult(
            HALF_WAY, f"internal error in {command}: {error!r}; check: brokerctl status", not read_only
        )
    return outcome


def _permit(environment: str, args: Namespace, words: Sequence[str]) -> None:
    if args.env != environment:
        raise Refused(f"this is environment {environment}, and the command is meant for {args.env}")
    says = TOOL.refusal(args.role, args.operation.command, words)
    if says is not None:
        raise Refused(says)


def _stack(named: str | None) -> Stack:
    folder = named or os.environ.get("KUNREN_STACK")
    if not folder:
        raise NotReached("no stack is named; check: --stack DIR or KUNREN_STACK")
    try:
        return Stack(brokerage.load(Path(folder)))
    except OSError as error:
        raise NotReached(f"{folder}/{brokerage.FILE}: {error.strerror}; check: does that stack run?") from error
    except ValueError as error:
        raise NotReached(f"{folder}/{brokerage.FILE} describes no stack: {error}") from error


def _announce(stack: Stack, args: Namespace, words: Sequence[str]) -> None:
    try:
        audit.record(Path(stack.config.folder), args.role, args.env, words, None)
    except OSError as error:
        raise Refused(f"nothing is changed without an audit log: {error}") from error


def _audited(
    stack: Stack, args: Namespace, words: Sequence[str], outcome: CommandResult, given: audit.Given
) -> CommandResult:
    try:
        audit.record(Path(stack.config.folder), args.role, args.env, words, outcome, given)
    except OSError as error:
        print(visible(f"the audit log could not be written: {error}"), file=sys.stderr)
    return outcome


def _audited_refusal(words: Sequence[str], outcome: CommandResult, typed: bool) -> CommandResult:
    """A command line that was not understood, written down if it names a stack."""
    folder = grammar.stack_named_in(words) or os.environ.get("KUNREN_STACK")
    if folder and (Path(folder) / brokerage.FILE).is_file():
        try:
            audit.record(Path(folder), None, None, words, outcome, audit.Given(time.monotonic_ns(), typed))
        except OSError as error:
            print(visible(f"the audit log could not be written: {error}"), file=sys.stderr)
    return outcome


if __name__ == "__main__":
    sys.exit(main())
