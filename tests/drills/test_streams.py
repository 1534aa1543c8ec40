"""A standard stream that never raises, whatever became of the one beneath it."""

from __future__ import annotations

import gc
import io
import sys

import pytest

from drills.streams import Output


def test_one_that_outlives_its_stream_says_that_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python flushes what it collects: later versions tell of what goes wrong then."""
    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    beneath = io.StringIO()
    output = Output(beneath)
    output.write("heard")
    beneath.close()
    output.flush()
    assert output.lost is None
    output.write("not heard")
    assert output.lost == "it is closed"
    del output
    gc.collect()
    assert told == []
