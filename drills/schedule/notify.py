"""Telling people: a message to an address of apprise (mail, Slack, Teams, a webhook …), tried again where it fails.

A receiver that cannot be reached is a problem in words and never an exception: no drill depends on it. An address may
hold a password, so nothing of it is said.
"""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

PAUSES_S = (2.0, 10.0)
"""Before the second attempt, and before the third."""
EXTRA = "apprise is not installed; fix: pip install 'kunren[calendar]'"
NOT_TAKEN = "apprise does not take this address"
NO_ANSWER = "not delivered, and nothing was said why"
COMPLAINTS = ("WARNING", "ERROR", "CRITICAL")
"""Levels of what apprise logs that say why."""
SECRET = 4
"""Characters of an address from which on a part of it is not repeated."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is told; ``files`` go with it where the receiver takes them."""

    title: str
    body: str
    files: tuple[Path, ...] = ()


Post = Callable[[str, Message], str | None]
"""Deliver once; the problem, or None."""


def send(
    address: str, message: Message, *, post: Post | None = None, sleep: Callable[[float], None] = time.sleep
) -> str | None:
    """Deliver it, with further attempts after a pause; the last problem, or None."""
    deliver = post or by_apprise
    problem = deliver(address, message)
    for pause in PAUSES_S:
        if problem is None or problem in (EXTRA, NOT_TAKEN):
            break
        sleep(pause)
        problem = deliver(address, message)
    return None if problem is None else _without_secrets(problem, address)


def by_apprise(address: str, message: Message) -> str | None:
    """One attempt; apprise has time limits of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its modules for services that nobody here uses
        try:
            import apprise  # here: it belongs to the extra, and takes half a second
        except ImportError:
            return EXTRA
        try:
            asset = apprise.AppriseAsset(app_id="kunren", app_desc="kunren", app_url="", image_url_mask="")
            receivers = apprise.Apprise(asset=asset)
            if not receivers.add(address):
                return NOT_TAKEN
            done = receivers.notify(
                body=message.body,
                title=message.title,
                body_format=apprise.NotifyFormat.TEXT,
                attach=[str(each) for each in message.files] or None,
            )
        except Exception as error:  # noqa: BLE001  # a hundred plug-ins of others: whatever it is, no drill fails of it
            return f"{type(error).__name__}: {error}"
    said = [entry.message for entry in done.logs() if entry.level in COMPLAINTS]
    return None if done else said[-1] if said else NO_ANSWER


def _without_secrets(problem: str, address: str) -> str:
    """The problem, but for parts of the address other than the scheme."""
    _, _, rest = address.partition("://")
    for part in sorted(_parts(rest), key=len, reverse=True):
        problem = problem.replace(part, "…")
    return problem


def _parts(rest: str) -> Sequence[str]:
    return [part for part in re.split(r"[/:@?&=,]+", rest) if len(part) >= SECRET]
