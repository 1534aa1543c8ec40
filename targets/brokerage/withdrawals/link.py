"""The link to the bank: payments out, and inquiries about them; each request is logged, and timed until its answer."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from targets.brokerage.client import Client
from targets.brokerage.config import Config
from targets.brokerage.recent import RecentShare
from targets.brokerage.withdrawals.linklog import LinkLog
from targets.http_async import NotSent, Unanswered

log = logging.getLogger("withdrawals")

DECIDED = {"booked": "completed", "rejected": "rejected"}
"""What the bank decided -> what that makes of a withdrawal."""

ABSENT = "absent"
"""The bank has not seen the reference: final once the longest delay has passed since it was sent."""

PROBE = "probe"
"""A reference that is nobody's."""


class BankLink:
    """One session after the other, each with connections and references of its own."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._settings = config.withdrawals
        self.log = LinkLog(Path(config.folder))
        self._client = self._connected()
        self._flying: dict[str, int] = {}
        self._unanswered = RecentShare(self._settings.ratio_s, self._settings.ratio_least)

    async def pay(self, withdrawal: str, account: str, yen: int, reference: str = "") -> tuple[str, str]:
        """``completed``, ``rejected``, ``unknown`` or ``not-sent``, and the reference; a given one is used again.

        What cannot be logged before is not sent; what the bank has answered is so, whether that can be logged or not.
        """
        try:
            if reference:
                self.log.again(reference, withdrawal, account, yen)
            else:
                reference = self.log.sent(withdrawal, account, yen)
        except OSError as error:
            log.error("%s is not sent: %s", withdrawal, error)
            return "not-sent", reference
        order = {"reference": reference, "account": account, "yen": yen}
        self._flying[reference] = time.monotonic_ns()
        state = "unknown"
        try:
            _, said = await self._client.ask("POST", "/payouts", order, self._settings.answer_s)
            if said.get("reference") == reference:  # an answer to another request tells nothing of this one
                state = DECIDED.get(str(said.get("state")), "unknown")
        except NotSent:
            state = "not-sent"
        except Unanswered:
            pass
        finally:
            self._flying.pop(reference, None)  # the same may be on its way twice: sent again by an operator
            self._unanswered.note(state == "unknown")
        if state in DECIDED.values():
            try:
                self.log.answered(reference, account, state)
            except OSError as error:
                log.error("%s is %s, which could not be logged: %s", withdrawal, state, error)
        return state, reference

    async def inquire(self, reference: str) -> str:
        """``completed``, ``rejected``, ``absent``, or ``unknown`` where the bank does not answer."""
        try:
            status, said = await self._client.ask("GET", f"/payouts/{reference}", None, self._settings.inquire_s)
        except (NotSent, Unanswered):
            return "unknown"
        if status == 404:
            return ABSENT
        return DECIDED.get(str(said.get("state")), "unknown") if said.get("reference") == reference else "unknown"

    async def probe(self) -> bool:
        """Whether the bank answers an inquiry over the link."""
        return await self.inquire(PROBE) == ABSENT

    def renew(self) -> None:
        """End the session: what comes late on its connections meets no request of the next one. OSError."""
        self._client.close()
        self._client = self._connected()
        self.log.renew()
        self._unanswered.clear()

    def close(self) -> None:
        """Close connections and log."""
        self._client.close()
        self.log.close()

    def oldest_ns(self) -> int | None:
        """When the oldest request that still waits for its answer was sent, ns; None where none waits."""
        return min(self._flying.values(), default=None)

    @property
    def waiting(self) -> int:
        """How many requests wait for their answer."""
        return len(self._flying)

    def unanswered_ratio(self) -> float:
        """Of the requests that ended lately: how many without an answer; 0 where there are too few to say."""
        return self._unanswered.ratio()

    def _connected(self) -> Client:
        return Client(self._config.through("withdrawals-bank"), self._config.token)
