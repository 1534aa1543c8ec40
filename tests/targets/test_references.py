"""What fields refer to, by their types; and names that are told by their ends."""

from __future__ import annotations

from typing import Annotated

import pytest
from msgspec import Meta

from targets.references import LinkName, NameRange, Refers, ServiceName, reference

RANGE = NameRange("C-", 8, 12, 2)


def test_a_type_says_what_its_field_refers_to() -> None:
    assert reference(LinkName) is Refers.LINK
    assert reference(ServiceName) is Refers.SERVICE
    assert reference(Annotated[ServiceName, Meta(min_length=1)]) is Refers.SERVICE
    assert (reference(str), reference(Annotated[int, Meta(ge=1)])) == (None, None)


def test_a_range_has_its_names_and_no_others() -> None:
    assert list(RANGE) == ["C-08", "C-09", "C-10", "C-11", "C-12"]
    assert len(RANGE) == 5
    assert str(RANGE) == "C-08 … C-12"
    assert all(name in RANGE for name in RANGE)


@pytest.mark.parametrize(
    "name", ["C-07", "C-13", "C-8", "C-008", "C-", "c-08", "C-08\n", "XC-08", "C-０８", "", None, 8]
)
def test_what_is_not_in_it(name: object) -> None:
    assert name not in RANGE


def test_an_empty_range() -> None:
    empty = NameRange("C-", 1, 0, 4)
    assert (len(empty), list(empty)) == (0, [])
