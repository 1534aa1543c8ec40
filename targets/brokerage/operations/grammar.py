"""The command line of ``brokerctl``, made from what its commands declare."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Sequence
from typing import Any, NoReturn

from targets.brokerage.operations.declared import Operation
from targets.brokerage.operations.tool import NOUNS, OPERATIONS, TOOL
from targets.tool_arguments import add_arguments

ABOUT = """The operator's tool of the brokerage. Every command names the role it is given with and the environment it
is meant for; each is written to the audit log, also when it is refused."""

EXITS = "exit status: 0 done, 1 refused (nothing was changed), 2 failed half-way (what to check is said)"

CALL = f"{TOOL.name} --role operator --env drill"


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
    """``operation`` (what is to be done) and the options. UsageError; SystemExit 0 after --help."""
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
    top = _Parser(TOOL.name, description=ABOUT, epilog=_examples("status", "service close orders"))
    top.add_argument("--stack", metavar="DIR", help="folder of the stack (default: $KUNREN_STACK)")
    top.add_argument("--role", required=True, choices=TOOL.roles, metavar="ROLE", help=" | ".join(TOOL.roles))
    top.add_argument("--env", required=True, metavar="ENV", help="environment the command is meant for, such as drill")
    top.add_argument("--json", action="store_true", help="answer with one JSON object")
    nouns = top.add_subparsers(metavar="NOUN", required=True, dest="noun")
    verbs: dict[str, argparse._SubParsersAction[_Parser]] = {}
    for each in OPERATIONS:
        noun, _, verb = each.command.name.partition(" ")
        if verb and noun not in verbs:
            verbs[noun] = _verbs(nouns, noun)
        _add(verbs[noun] if verb else nouns, verb or noun, each)
    return top


def _examples(*commands: str) -> str:
    return "\n".join(["examples:", *(f"  {CALL} {command}" for command in commands), "", EXITS])


def _verbs(nouns: argparse._SubParsersAction[_Parser], noun: str) -> argparse._SubParsersAction[_Parser]:
    parser = nouns.add_parser(noun, help=NOUNS[noun], description=NOUNS[noun])
    return parser.add_subparsers(metavar="VERB", required=True, dest="verb")


def _add(words: argparse._SubParsersAction[_Parser], word: str, operation: Operation) -> None:
    command = operation.command
    parser = words.add_parser(word, help=command.says, description=command.says, epilog=_examples(*command.examples))
    parser.set_defaults(operation=operation)
    add_arguments(parser, command)
