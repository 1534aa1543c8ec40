"""The keys of a person who acts in a run: one key a decision, a line of text where one is asked for.

The terminal gives each key as it is pressed, without showing it; it is as before in any case afterwards. Ctrl-C stays
what it is.
"""

from __future__ import annotations

import codecs
import getpass
import os
import select
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console

from drills import api
from drills.errors import Refused
from drills.operators.actions import Action, ConfirmStep, Escalate, LeaveRunbook, OpenRunbook, RunStep, SkipStep
from drills.record.arm import FALSE_ALARM, RUNBOOK
from drills.record.history import PERSON_ACTS, ROBOT_ACTS, Person
from drills.spec.pace import PACES, PERSON, ROBOT
from drills.spec.request import RunRequest
from reports.person import PersonScreen

OPERATORS = (ROBOT_ACTS, PERSON_ACTS)
ACTING = (RUNBOOK, FALSE_ALARM)
"""Arms in which a person can act: what is done in them is for that one to decide."""
LOOK_EVERY_S = 0.1
ENTER, ESCAPE, ERASE = "\r\n", "\x1b", "\x7f\b"
LONGEST = 200
"""Letters of a reason."""


def person_of(operator: str, name: str | None, role: str) -> Person | None:
    """Who acts; None: the robot. Refused for an operator that there is not."""
    if operator not in OPERATORS:
        raise Refused(f"--operator {operator!r} is neither {' nor '.join(OPERATORS)}")
    if operator == ROBOT_ACTS:
        if name is not None:
            raise Refused("--name is for a person: add --operator human")
        return None
    return Person(name or _login(), role)


def pace_of(asked: str | None, person: Person | None) -> str:
    """The pace asked for, else that of who acts; Refused for one that there is not."""
    if asked is not None and asked not in PACES:
        raise Refused(f"--pace {asked!r} is neither {' nor '.join(PACES)}")
    return asked or (ROBOT if person is None else PERSON)


def refuse_person(orders: Sequence[RunRequest], out: Console, *, quiet: bool) -> None:
    """Raise Refused where a person could not act: no terminal, several runs, an arm without an operator."""
    if not (sys.stdin.isatty() and out.is_terminal) or quiet:
        raise Refused(
            "--operator human needs a terminal to show alerts and take keys", "leave out --quiet, pipes, TERM=dumb"
        )
    if len(orders) != 1:
        raise Refused("--operator human takes one run at a time", "name one drill, without --repeat")
    if orders[0].arm not in ACTING:
        raise Refused(f"--operator human goes with the arms {' and '.join(map(str, ACTING))}, not with {orders[0].arm}")


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a uid without a name, and none in the environment
        return str(os.getuid())


class Keys:
    """What each key means, given what is on the screen; ``send`` hands on what the person decides."""

    def __init__(self, screen: PersonScreen, send: Callable[[Action], None]) -> None:
        self._screen, self._send = screen, send
        self._typed = ""
        self._then: Callable[[str], None] | None = None

    def press(self, key: str) -> None:
        """One key."""
        if self._then is not None:
            self._write(key)
        elif key.isdigit():
            self._open_alert(int(key))
        elif (meaning := self._meanings().get(key)) is not None:
            meaning()

    def _meanings(self) -> dict[str, Callable[[], None]]:
        """Of the keys that mean something now."""
        shown = self._screen.shown
        found: dict[str, Callable[[], None]] = {
            "?": lambda: self._screen.tell("help"),
            "o": self._ask_name,
        }
        if shown.step is None or shown.runbook is None:
            return found
        step, to = shown.step.id, shown.runbook.escalation.to
        return found | {
            "r": lambda: self._send(RunStep(step)),
            "c": lambda: self._send(ConfirmStep(step)),
            "s": lambda: self._ask("skip", lambda reason: self._send(SkipStep(step, reason))),
            "e": lambda: self._ask("escalate", lambda reason: self._send(Escalate(step, reason)), to=to),
            "x": lambda: self._ask("leave", lambda reason: self._send(LeaveRunbook(reason))),
            "p": self._screen.page,
        }

    def _open_alert(self, number: int) -> None:
        alerts = self._screen.shown.alerts
        if 1 <= number <= len(alerts):
            alert = alerts[number - 1]
            if alert.runbook is not None:
                self._send(OpenRunbook(alert.runbook, alert.rule))

    def _ask_name(self) -> None:
        self._screen.names()
        self._ask("open", self._open_named)

    def _open_named(self, name: str) -> None:
        known = self._screen.library
        found = [name] if name in known else [each for each in known if each.startswith(name)]
        if len(found) == 1:
            self._send(OpenRunbook(found[0]))
        else:
            self._screen.tell("no-such", "yellow", name=name)

    def _ask(self, question: str, then: Callable[[str], None], **values: object) -> None:
        self._typed, self._then = "", then
        self._screen.ask(question, **values)

    def _write(self, key: str) -> None:
        """Into the line that is asked for: Enter ends it, Escape gives it up."""
        if key in ENTER and self._typed.strip():
            then, self._then = self._then, None
            self._screen.ask("")
            if then is not None:
                then(self._typed.strip())
        elif key == ESCAPE:
            self._then = None
            self._screen.ask("")
        elif key in ERASE:
            self._typed = self._typed[:-1]
            self._screen.type(self._typed)
        elif key.isprintable() and len(self._typed) < LONGEST:
            self._typed += key
            self._screen.type(self._typed)


@contextmanager
def keys_of(screen: PersonScreen, terminal: api.Terminal) -> Iterator[None]:
    """Take the keys of stdin inside the block."""
    keys, over = Keys(screen, terminal.send), threading.Event()
    file = sys.stdin.fileno()
    before = termios.tcgetattr(file)
    thread = threading.Thread(target=_read, args=(file, keys, over), name="keys of a person", daemon=True)
    try:
        tty.setcbreak(file)
        thread.start()
        yield
    finally:
        over.set()
        thread.join()
        termios.tcsetattr(file, termios.TCSADRAIN, before)


def _read(file: int, keys: Keys, over: threading.Event) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while not over.is_set():
        ready, _, _ = select.select([file], [], [], LOOK_EVERY_S)
        if not ready:
            continue
        typed = os.read(file, 1024)
        if not typed:  # the terminal is gone
            return
        for key in decoder.decode(typed):
            keys.press(key)
