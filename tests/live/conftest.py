from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from . import rig


@pytest.fixture
def place(tmp_path: Path) -> Iterator[rig.Place]:
    with rig.place(tmp_path) as made:
        yield made
