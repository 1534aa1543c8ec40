"""A person drills: in a terminal, by keys and by commands typed in another one, to a card that says who it was."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
from collections.abc import Iterator

import pytest

from .rig import BIN, Place, card

pytestmark = pytest.mark.live

DRILL = "exchange-link-down"
WITHIN_S = 90.0


class Typist:
    """``kunren`` in a terminal of its own: what it shows, and keys for it."""

    def __init__(self, place: Place, *words: str) -> None:
        self.shown = ""
        self._file, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (50, 160))
        self._before = termios.tcgetattr(theirs)
        environment = {**place.environment, "TERM": "xterm"}
        self.process = subprocess.Popen(
            [BIN / "kunren", *words], cwd=place.home, env=environment, stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True,
        )  # fmt: skip
        self._theirs = theirs

    def press(self, keys: str) -> None:
        os.write(self._file, keys.encode())

    def until(self, pattern: str, *, keep: bool = False) -> re.Match[str]:
        """What was shown, as soon as it was; what comes after it (``keep``: it as well) is looked for the next time."""
        deadline = time.monotonic() + WITHIN_S
        while (found := re.search(pattern, self.shown)) is None:
            assert time.monotonic() < deadline, f"no {pattern!r} in: {self.shown[-3000:]}"
            self.read()
        self.shown = self.shown[found.start() if keep else found.end() :]
        return found

    def run_step(self) -> bool:
        """Have the step that waits run, again where it is too early for it; False where the runbook is over."""
        while True:
            self.press("r")
            found = self.until(r"(done|refused|failed|no answer in time): |runbook \S+ closed: ")
            if found[1] in (None, "done"):
                return found[1] == "done" and self.until(r"\d+\. \[ \]|runbook \S+ closed: ", keep=True)[0].endswith(
                    "]"
                )
            time.sleep(0.5)

    def read(self) -> None:
        ready, _, _ = select.select([self._file], [], [], 0.2)
        if ready:
            self.shown += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", os.read(self._file, 65536).decode(errors="replace"))

    def ended(self) -> int:
        deadline = time.monotonic() + WITHIN_S
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read()
        return self.process.wait(1)

    def is_as_before(self) -> bool:
        """Whether the terminal's settings are what they were."""
        return termios.tcgetattr(self._theirs) == self._before

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
        os.close(self._file)
        os.close(self._theirs)


@pytest.fixture
def typist(place: Place) -> Iterator[Typist]:
    made = Typist(
        place, "run", DRILL, "--operator", "human", "--name", "Sato", "--pace", "robot", "--seed", "7", "--proxy",
        "embedded",
    )  # fmt: skip
    yield made
    made.close()


def typed(place: Place, stack: str, *words: str) -> None:
    """In another terminal."""
    done = place.brokerctl("--stack", stack, "--role", "operator", "--env", "drill", *words)
    assert done.returncode == 0, done.stderr


def test_a_person_follows_the_alerts_link_by_keys_and_by_another_terminal(place: Place, typist: Typist) -> None:
    stack = typist.until(r"KUNREN_STACK=(\S+)")[1]
    assert "timeout" not in typist.shown
    number = typist.until(r"ALERT (\d)  page  LinkSilent")[1]
    typist.press(number)
    first = typist.until(r"1\. \[ \].*\(([\w-]+);")[1]
    typist.run_step()
    step = typist.until(r"2\. \[ \].*\(([\w-]+);")[1]
    command = typist.until(r"\$ brokerctl (.*)")[1].split()
    typed(place, stack, *command)
    typist.until(r"other terminal: brokerctl ")
    while typist.run_step():
        pass
    assert typist.ended() in (0, 1), typist.shown[-3000:]
    assert typist.is_as_before()
    (run,) = place.runs()
    found = card(run)
    assert {key: found["operator"][key] for key in ("kind", "name", "role", "pace", "reaction_s")} == {
        "kind": "human", "name": "Sato", "role": "operator", "pace": "robot", "reaction_s": None,
    }  # fmt: skip
    assert [each["runbook"] for each in found["operator"]["opened"]] == [DRILL]
    steps = found["runbook"]["steps"]
    assert list(dict.fromkeys(each["id"] for each in steps))[:2] == [first, step]
    assert set({each["id"]: each["outcome"] for each in steps}.values()) == {"ok"}, "each, in the end"
    commands = [event["data"] for event in place.events(run) if event["what"] == "command"]
    assert [(each["step"], each["name"]) for each in commands] == [(step, "Sato")]
    assert not any(check["verdict"] in ("invalid", "unknown") for check in found["checks"] if check["validity"])


def test_ctrl_c_undoes_everything_and_gives_the_terminal_back(place: Place, typist: Typist) -> None:
    typist.until(r"KUNREN_STACK=(\S+)")
    os.killpg(typist.process.pid, signal.SIGINT)
    assert typist.ended() == 130, typist.shown[-3000:]
    assert typist.is_as_before()
    (run,) = place.runs()
    assert card(run)["verdict"] == "invalid"
