"""What a name in a drill file refers to, said by the type of its field.

A fault or a condition declares ``link: LinkName``; whoever reads the drill looks the name up among those of the target,
whatever the field is called.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any


class Refers(StrEnum):
    """Something of the target, by which a field may name one of its own."""

    LINK = "link"
    SERVICE = "service"
    CONDITION = "condition"


LinkName = Annotated[str, Refers.LINK]
ServiceName = Annotated[str, Refers.SERVICE]
ConditionName = Annotated[str, Refers.CONDITION]


def reference(declared: Any) -> Refers | None:
    """What a field declared so refers to; None where its value is no name of the target's."""
    return next((each for each in getattr(declared, "__metadata__", ()) if isinstance(each, Refers)), None)
