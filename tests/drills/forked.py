"""``kunren`` under many conditions, each in a process of its own: forked from one that has imported everything.

``python forked.py`` reads a list of cases as JSON from stdin and prints what became of each. Importing takes a second
and a fork some milliseconds, so that every verb can be tried under every condition.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, NoReturn

GUARD_S = 300.0
IMPORTED = (
    "drills.commands.app",
    "drills.spec.runbook_text",
    "targets.embedded",
    "targets.compose",
    "targets.described",
)
"""What any verb imports sooner or later, once for all."""


@dataclass(frozen=True)
class Case:
    """``stdout`` and ``stderr``: ``open`` (kept), ``closed``, ``full`` (no space) or ``left`` (nobody reads).

    ``argv`` and ``cwd`` may hold bytes that are no UTF-8, as ``os.fsdecode`` keeps them. ``nameless``: the user has no
    entry in the password database. A value of None in ``environment`` takes the variable away.
    """

    argv: list[str]
    cwd: str
    stdout: str = "open"
    stderr: str = "open"
    stdin: str = "open"
    encoding: str = "utf-8"
    nameless: bool = False
    environment: dict[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


def run_all(cases: list[Case]) -> list[Ended]:
    """What became of each, in order."""
    done = subprocess.run(
        [sys.executable, "-c", "from tests.drills.forked import main; main()"],
        cwd=Path(__file__).parents[2], input=json.dumps([asdict(case) for case in cases]), capture_output=True,
        text=True, timeout=GUARD_S, check=False, env={**os.environ, "PYTHONUTF8": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [Ended(*each) for each in json.loads(done.stdout)]


def main() -> None:
    """Entry point."""
    for module in IMPORTED:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    print(json.dumps([_ended(Case(**each)) for each in json.load(sys.stdin)]))


def _ended(case: Case) -> tuple[int, str, str]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        pid = os.fork()
        if pid == 0:
            _child(case, out, err)
        _, status = os.waitpid(pid, 0)
        for file in (out, err):
            file.seek(0)
        return (
            os.waitstatus_to_exitcode(status),
            out.read().decode(errors="replace"),
            err.read().decode(errors="replace"),
        )


def _child(case: Case, out: IO[bytes], err: IO[bytes]) -> NoReturn:
    code = 119  # whatever goes wrong in here itself
    try:
        os.chdir(case.cwd)
        for name, value in case.environment.items():
            os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)
        if case.nameless:
            _without_a_name()
        for number, kind, kept in ((0, case.stdin, None), (1, case.stdout, out), (2, case.stderr, err)):
            _put(number, kind, kept)
        sys.stdin = None if case.stdin == "closed" else open(0, closefd=False)  # type: ignore[assignment]  # noqa: SIM115
        sys.stdout = _stream(1, case.stdout, case.encoding, "strict")
        sys.stderr = _stream(2, case.stderr, case.encoding, "backslashreplace")
        sys.argv = ["kunren", *case.argv]
        from drills import cli

        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 118
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()  # as Python does on leaving
    except BaseException as error:  # noqa: BLE001  # it is told to who forked us
        err.write(f"Traceback: {error!r}\n".encode())
        err.flush()
        code = 120
    finally:
        os._exit(code)


def _without_a_name() -> None:
    import pwd

    def unknown(uid: int) -> NoReturn:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    pwd.getpwuid = unknown


def _put(number: int, kind: str, kept: IO[bytes] | None) -> None:
    if kind == "closed":
        os.close(number)
    elif kind == "full":
        os.dup2(os.open("/dev/full", os.O_WRONLY), number)
    elif kind == "left":
        read, write = os.pipe()
        os.close(read)
        os.dup2(write, number)
    elif kept is not None:
        os.dup2(kept.fileno(), number)


def _stream(number: int, kind: str, encoding: str, errors: str) -> IO[str] | None:
    return None if kind == "closed" else open(number, "w", encoding=encoding, errors=errors, closefd=False)


if __name__ == "__main__":
    main()
