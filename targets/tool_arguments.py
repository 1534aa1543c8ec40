"""How the arguments of an operator tool's command are read, by the tool itself and by whoever checks a runbook."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from targets.operator_tool import Argument, Command, Kind


class _Misused(Exception):
    """The arguments are none of the command's."""


class _Checked(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _Misused(message)


def add_arguments(parser: argparse.ArgumentParser, command: Command) -> None:
    """Let the parser read what the command takes."""
    for argument in command.arguments:
        parser.add_argument(argument.name, **_settings(argument))


def misuse(command: Command, words: Sequence[str]) -> str | None:
    """What is wrong with the words after the command's name; None when it can be called so."""
    parser = _Checked(add_help=False, allow_abbrev=False)
    add_arguments(parser, command)
    try:
        parser.parse_args(words)
    except _Misused as error:
        return str(error)
    return None


def _settings(argument: Argument) -> dict[str, Any]:
    found: dict[str, Any] = {"help": argument.says or None}
    if argument.kind is Kind.FLAG:
        return {**found, "action": "store_true"}
    if argument.is_option:
        found["required"] = not argument.optional
    elif argument.many:
        found["nargs"] = "*" if argument.optional else "+"
    elif argument.optional:
        found["nargs"] = "?"
    if argument.shown:
        found["metavar"] = argument.shown
    if argument.kind is Kind.TEXT:
        return {**found, "choices": argument.only or None, "default": argument.default}
    read = _Whole(argument) if argument.kind is Kind.WHOLE else _Seconds(argument)
    return {**found, "type": read, "default": argument.default}


class _Whole:
    """Reads a whole number, or a word that may stand for one."""

    def __init__(self, argument: Argument) -> None:
        self._words = argument.only

    def __call__(self, text: str) -> int | str:
        if text in self._words:
            return text
        try:
            return int(text)
        except ValueError:
            known = " or ".join(("a whole number", *self._words))
            raise argparse.ArgumentTypeError(f"found '{text}', expected {known}") from None


class _Seconds:
    """Reads a time in seconds, with or without its unit."""

    def __init__(self, argument: Argument) -> None:
        self._most = argument.most

    def __call__(self, text: str) -> float:
        limit = "" if self._most is None else f" and at most {self._most:g}"
        try:
            value = float(text.removesuffix("s"))
        except ValueError:
            value = 0.0
        if not value > 0 or (self._most is not None and value > self._most):
            raise argparse.ArgumentTypeError(f"found '{text}', expected more than 0{limit} seconds")
        return value
