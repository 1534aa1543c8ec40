"""Where both programs begin: installed at top level as ``kunren_start``, beside the dist-info.

Packages called ``reports`` or ``faults`` are no modules to put into an environment that others share. An installation
has them in ``kunren_packages``, beside this file; an editable one in the sources, which ``_kunren.pth`` beside this
file names. Neither is looked for on ``sys.path``, so a ``reports/`` there cannot come first. ``drills/start.py`` does
the rest. ``python -m kunren_start MODULE ARGUMENT…`` runs any of our modules, such as ``compose.images``.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

PACKED, SOURCES = "kunren_packages", "_kunren.pth"


def packages() -> Path:
    """The folder that holds our packages; SystemExit (3) where the installation is damaged."""
    here = Path(__file__).resolve().parent
    try:
        sources = Path((here / SOURCES).read_text(encoding="utf-8").strip())
    except OSError:
        sources = here / PACKED
    if (sources / "drills" / "start.py").is_file():
        return sources
    print(f"kunren: {sources} holds no packages of kunren: install it again", file=sys.stderr)
    sys.exit(3)


def kunren() -> None:
    """The program ``kunren``."""
    _start().enter("drills.cli", "main")


def brokerctl() -> None:
    """The program ``brokerctl``."""
    _start().enter("targets.brokerage.brokerctl", "main")


def importable() -> None:
    """Put our packages first on ``sys.path``, for who calls them from Python: ``kunren_start.importable()``."""
    _start().importable()


def _start() -> ModuleType:
    """``drills/start.py``, by its path: what else is called ``drills`` in this environment is none of ours."""
    spec = importlib.util.spec_from_file_location("kunren_packages_start", packages() / "drills" / "start.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    _start().main()
