"""Starts a part of ours so that neither the working folder nor the environment decides what it imports.

``python -E -P drills/start.py MODULE ARGUMENT…`` is how every process of ours that runs Python is started
(``targets.children.python``); the programs come here too, through ``kunren_start``. Our packages are put first on
``sys.path``, the working folder is not on it, and what the libraries would read from the environment is taken out of
it before any of them is imported. Standard library only.
"""

from __future__ import annotations

import importlib
import os
import runpy
import sys
from pathlib import Path

PACKAGES = ("drills", "targets", "faults", "loadprofiles", "reports", "compose")
FOLDER = Path(__file__).resolve().parent.parent
REFUSED = 3


def enter(module: str, function: str) -> None:
    """Run a program of ours; does not return."""
    _isolated()
    _ready()
    sys.exit(getattr(importlib.import_module(module), function)())


def main() -> None:
    """Run a module of ours with the arguments that follow its name, as ``python -m`` would."""
    _isolated()
    _ready()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def importable() -> None:
    """Put our packages first on ``sys.path``; SystemExit (3) where another one of their names was imported before."""
    here = str(FOLDER)
    sys.path[:] = [here, *(each for each in sys.path if each != here)]
    for name in PACKAGES:
        foreign = _imported_from_elsewhere(name)
        if foreign is not None:
            print(
                f"kunren: another package called {name!r} was imported first, from {foreign}: install kunren into an"
                " environment of its own (uv tool install, or pipx install)",
                file=sys.stderr,
            )
            sys.exit(REFUSED)


def _isolated() -> None:
    """Start this very program again where Python itself listened to the environment, or to the program's folder.

    ``PYTHONPATH``, ``PYTHONWARNINGS`` and the like have had their effect on this interpreter already.
    """
    if not (sys.flags.ignore_environment and sys.flags.safe_path) and os.path.isfile(sys.argv[0]):
        os.execv(sys.executable, [sys.executable, "-E", "-P", *sys.argv])  # noqa: S606  # ourselves, with the same words


def _ready() -> None:
    importable()
    importlib.import_module("targets.children").shed()


def _imported_from_elsewhere(name: str) -> str | None:
    """Where the package of this name came from, if it is there and not ours."""
    found = sys.modules.get(name)
    if found is None:
        return None
    file = getattr(found, "__file__", None) or next(iter(getattr(found, "__path__", ())), "an unknown place")
    return None if Path(file).resolve().is_relative_to(FOLDER / name) else str(file)


if __name__ == "__main__":
    main()
