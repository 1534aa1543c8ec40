"""The conditions that can be planted in the brokerage's data, a registration each, and what plants them in a stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
import psycopg

from targets.brokerage.api.numbers_near_limit import NumbersNearLimit
from targets.brokerage.batch.skewed_lots import SkewedLots
from targets.brokerage.condition import Condition
from targets.brokerage.config import Config
from targets.brokerage.edge.short_lived_chain import ShortLivedChain
from targets.brokerage.vendor.keys_mixed_up import KeysMixedUp
from targets.target import ConditionState, ProbeResult, TargetError

CONDITIONS: Mapping[str, type[Any]] = {
    each.NAME: each for each in (SkewedLots, ShortLivedChain, NumbersNearLimit, KeysMixedUp)
}
"""Name -> condition, whose fields are its parameters."""


class Planting:
    """The ``Conditions`` of one stack."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def plant(self, what: str, wanted: Mapping[str, Any]) -> ProbeResult:
        """Put the condition into the data; TargetError where it cannot be."""
        with self._condition(what, wanted) as condition:
            return condition.plant(self.config)

    def look(self, what: str, wanted: Mapping[str, Any], *, wait: bool) -> ConditionState:
        """Whether it is there, and felt."""
        with self._condition(what, wanted) as condition:
            return condition.look(self.config, wait=wait)

    def unplant(self, what: str, wanted: Mapping[str, Any]) -> ProbeResult:
        """Take it out again; nothing to take out is no error."""
        with self._condition(what, wanted) as condition:
            return condition.unplant(self.config)

    @contextmanager
    def _condition(self, what: str, wanted: Mapping[str, Any]) -> Iterator[Condition]:
        try:
            if what not in CONDITIONS:
                raise ValueError(f"cannot be planted; there are: {', '.join(CONDITIONS)}")
            yield msgspec.convert(wanted, CONDITIONS[what])
        except (psycopg.Error, OSError, ValueError) as error:
            raise TargetError(f"{what} of {self.config.stack}: {str(error).strip()}") from error
