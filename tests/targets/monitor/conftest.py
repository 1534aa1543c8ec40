"""Prometheus's own tool, where this machine has it."""

from __future__ import annotations

import os
import shutil

import pytest

from .promtool import Promtool


@pytest.fixture(scope="session")
def promtool(tmp_path_factory: pytest.TempPathFactory) -> Promtool:
    """Where CI runs, its absence is a failure: the comparison must not vanish silently."""
    program = shutil.which("promtool")
    if program is None:
        lacks = "no promtool on PATH; it is in Debian's package prometheus"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(lacks)
    return Promtool(program, tmp_path_factory.mktemp("promtool"))
