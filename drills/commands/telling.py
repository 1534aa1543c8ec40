"""Telling the receivers of a schedule, all at once, each in its language."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from drills.schedule.notify import Message
from drills.spec.schedulefile import Receiver
from reports.texts import Lang

Tell = Callable[[str, Message], str | None]
"""Sends a message to an address; the problem, or None."""
Words = Callable[[Lang], tuple[str, str]]
"""Title and body in a language."""


def tell_all(
    receivers: Sequence[Receiver], words: Words, tell: Tell, files: Sequence[Path] = ()
) -> list[tuple[Receiver, str | None]]:
    """Each receiver with the problem, or None; the slowest does not keep the others from being told."""
    if not receivers:
        return []
    with ThreadPoolExecutor(len(receivers), thread_name_prefix="tell") as pool:
        return list(zip(receivers, pool.map(lambda each: _tell(each, words, tell, files), receivers), strict=True))


def _tell(receiver: Receiver, words: Words, tell: Tell, files: Sequence[Path]) -> str | None:
    address = receiver.address(dict(os.environ))
    if address is None:
        return f"the variable {receiver.env} is not set" if receiver.env else f"no address stands in {receiver.file}"
    title, body = words("ja" if receiver.lang == "ja" else "en")
    return tell(address, Message(title, body, tuple(files) if receiver.attach else ()))
