"""How a drill names a condition to plant: with the condition's own fields beside it, checked by their types."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from drills.errors import BadInput
from drills.record.history import PlannedFault, fault_label
from drills.spec.drill import load_drill
from drills.spec.files import CATALOGUE
from drills.spec.lint import lint
from drills.spec.schemas import drill_schema
from drills.spec.timeline import draw_faults
from drills.spec.vocabulary import Vocabulary
from faults import FAULTS
from targets.references import AccountName, NameRange, ServiceName

from .test_spec_errors import GOOD, WORDS


class Flood(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    room: ServiceName
    litres: Annotated[int, msgspec.Meta(ge=1)] = 10
    most: int = 100

    def __post_init__(self) -> None:
        if self.litres > self.most:
            raise ValueError("more litres than there can be")


class Dark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    hours: float
    whose: AccountName = "A-01"


KNOWN: Vocabulary = Vocabulary(
    FAULTS, WORDS.checks, WORDS.loads, WORDS.links, WORDS.services, WORDS.alerts,
    conditions={"flood": Flood, "dark": Dark}, accounts=NameRange("A-", 1, 12, 2),
)  # fmt: skip


def load(folder: Path, fault: str) -> Any:
    (folder / "runbook.yaml").write_text("runbook: link-down\n")
    file = folder / "drill.yaml"
    file.write_text(GOOD.replace("{kind: timeout, link: exchange-a, stream: both}", f"{{{fault}}}"))
    return load_drill(file, KNOWN)


def test_the_parameters_stand_beside_the_condition_and_may_be_drawn(tmp_path: Path) -> None:
    drill = load(tmp_path, "kind: planted, what: flood, room: [api, gateway], litres: {between: [1, 9]}")
    drawn = [draw_faults(drill.timeline, drill.name, seed)[0] for seed in range(60)]
    assert {each.params["room"] for each in drawn} == {"api", "gateway"}
    assert {each.params["litres"] for each in drawn} == set(range(1, 10))
    assert {(each.kind, each.params["what"], each.label) for each in drawn} == {("planted", "flood", "planted flood")}


REFUSED = {
    "unknown condition": ("what: floot", "what: unknown condition 'floot', did you mean 'flood'? known: flood, dark"),
    "no condition": ("hours: 1", ": missing key 'what'; known conditions: flood, dark"),
    "several to draw from": ("what: [flood, dark]", "what: unknown condition 'a list of 2'; known: flood, dark"),
    "a field of another condition": (
        "what: dark, hours: 1, room: api", ": unknown key 'room'; known: kind, what, hours, whose",
    ),
    "a field that is missing": ("what: flood", ": missing key 'room'; required: kind, what, room"),
    "a field of another type": ("what: dark, hours: long", "hours: Expected float, got str"),
    "beyond its bounds": ("what: flood, room: api, litres: [3, 0]", "litres[1]: Expected int >= 1"),
    "a name that the target does not have": (
        "what: flood, room: [api, cellar]", "room[1]: unknown service 'cellar'; known: api, gateway",
    ),
    "an account that there is not": (
        "what: dark, hours: 1, whose: [A-12, A-13]", "whose[1]: unknown account 'A-13'; known: A-01 … A-12",
    ),
    "an account with too many digits": (
        "what: dark, hours: 1, whose: A-001", "whose: unknown account 'A-001'; known: A-01 … A-12",
    ),
    "fields that do not go together": (
        "what: flood, room: api, litres: 7, most: 5", ": more litres than there can be",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("written", "says"), REFUSED.values(), ids=list(REFUSED))
def test_what_is_wrong_with_it_is_said_with_its_line(tmp_path: Path, written: str, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        load(tmp_path, f"kind: planted, {written}")
    assert caught.value.line == 11
    assert caught.value.says == f"timeline[0].fault{'' if says.startswith(':') else '.'}{says}"


def test_the_schema_has_each_condition_with_its_fields() -> None:
    kinds = drill_schema(KNOWN)["properties"]["timeline"]["items"]["properties"]["fault"]["anyOf"]
    planted = {each["properties"]["what"]["const"]: each for each in kinds if "what" in each["properties"]}
    assert list(planted) == ["flood", "dark"]
    assert planted["flood"]["required"] == ["kind", "what", "room"]
    assert planted["flood"]["properties"]["room"]["anyOf"][0] == {"type": "string", "enum": ["api", "gateway"]}
    whose = planted["dark"]["properties"]["whose"]["anyOf"][0]
    assert whose == {"type": "string", "pattern": "^A-[0-9]{2,}$"}


def test_a_fault_is_called_by_its_kind_and_by_what_it_is_of_that_kind() -> None:
    assert PlannedFault(0, "kill", 0, None, {"service": "api"}).label == "kill"
    assert fault_label("planted", {"kind": "planted", "what": "flood"}) == "planted flood"


def test_the_brokerages_accounts_are_known_before_it_starts(tmp_path: Path) -> None:
    night = CATALOGUE / "night-batch-lock"
    for name in ("runbook.yaml", "wrong.yaml"):
        (tmp_path / name).write_bytes((night / name).read_bytes())
    text = (night / "drill.yaml").read_text()
    assert text.count("C-0650") == 1
    (tmp_path / "drill.yaml").write_text(text.replace("C-0650", "C-9999"))
    (found,) = [each for each in lint([tmp_path]) if not each.note]
    says = "timeline[0].fault.account[1]: unknown account 'C-9999'; known: C-0001 … C-1500"
    assert str(found) == f"{tmp_path}/drill.yaml:13: {says}"
