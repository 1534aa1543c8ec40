"""What a name in a drill file refers to, said by the type of its field.

A fault or a condition declares ``link: LinkName``; whoever reads the drill looks the name up among those of the target,
whatever the field is called.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any


class Refers(StrEnum):
    """Something of the target, by which a field may name one of its own."""

    LINK = "link"
    SERVICE = "service"
    CONDITION = "condition"
    ACCOUNT = "account"
    VOLUME = "volume"
    ROLE = "role"
    COMMAND = "command"
    QUERY = "query"
    RATED = "rated service"


RatedService = Annotated[str, Refers.RATED]
"""A service of the drill's load."""
LinkName = Annotated[str, Refers.LINK]
ServiceName = Annotated[str, Refers.SERVICE]
ConditionName = Annotated[str, Refers.CONDITION]
AccountName = Annotated[str, Refers.ACCOUNT]
VolumeName = Annotated[str, Refers.VOLUME]
RoleName = Annotated[str, Refers.ROLE]
CommandText = Annotated[str, Refers.COMMAND]
"""A command line of the operator's tool, as it is typed."""
QueryText = Annotated[str, Refers.QUERY]
"""One that changes nothing."""


def reference(declared: Any) -> Refers | None:
    """What a field declared so refers to; None where its value is no name of the target's."""
    return next((each for each in getattr(declared, "__metadata__", ()) if isinstance(each, Refers)), None)


@dataclass(frozen=True, slots=True)
class NameRange:
    """Very many names, told by their ends: ``C-0001 … C-1500``. A number has at least so many ``digits``."""

    prefix: str
    first: int
    last: int
    digits: int

    def __contains__(self, name: object) -> bool:
        found = re.fullmatch(rf"{re.escape(self.prefix)}([0-9]{{1,9}})", name) if isinstance(name, str) else None
        return found is not None and self._in_range(int(found[1])) and name == self._name(int(found[1]))

    def __iter__(self) -> Iterator[str]:
        return map(self._name, range(self.first, self.last + 1))

    def __len__(self) -> int:
        return max(0, self.last + 1 - self.first)

    def __str__(self) -> str:
        return f"{self._name(self.first)} … {self._name(self.last)}"

    @property
    def pattern(self) -> str:
        """A regular expression that all of them match, and others of their form; also one in JavaScript."""
        prefix = re.escape(self.prefix).replace(r"\-", "-")  # which JavaScript does not let anybody escape
        return rf"^{prefix}[0-9]{{{self.digits},}}$"

    def _in_range(self, number: int) -> bool:
        return self.first <= number <= self.last

    def _name(self, number: int) -> str:
        return f"{self.prefix}{number:0{self.digits}d}"
