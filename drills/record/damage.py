"""What is wrong with a run folder, as reasons; their words are ``drills.judge.words``."""

from __future__ import annotations

from drills.record.history import Reason, Value


def damaged(kind: str, file: str = "", **values: Value) -> Reason:
    """One thing that is wrong; ``file`` is its path in the run folder, empty where it is about several."""
    return Reason(f"damage.{kind}", {"file": file, **values} if file else values)
