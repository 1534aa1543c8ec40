"""What each arm of a drill must show, so that ``verify`` can say whether the drill itself can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from drills.errors import unknown
from drills.record.arm import ARMS, DETAILED, RUNBOOK, Arm
from drills.spec.forms import Kind, Schema, decode, keys_of, schema_of
from drills.spec.metrics import limitable
from drills.spec.reader import SLUG, Node, prefix
from drills.spec.values import Duration, Names, enum, known, one_of
from drills.spec.vocabulary import Vocabulary

VERDICTS = ("pass", "fail", "unknown")

GRADES = ("performed", "some-challenges", "major-challenges", "unable")

if TYPE_CHECKING:
    Verdict: TypeAlias = str
    Grade: TypeAlias = str
    Outcome: TypeAlias = str
else:
    Verdict = one_of(VERDICTS, "verdict")
    Grade = one_of(GRADES, "grade")
    Outcome = known("check or metric", lambda words: (*words.checks, *limitable()))


class Expectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The verdict an arm must end with.

    ``grade`` None: any. ``by``: check or objective ids that must all be red, so that the arm fails for its
    documented reason; empty: any reason. ``reaction_up_to``: the slowest reaction, ns, at which the runbook has been
    shown to be fast enough; a slower one must fail. None: not shown.
    """

    verdict: Verdict
    grade: Grade | None = None
    by: Names[Outcome] = ()
    reaction_up_to: Duration | None = None

    def at(self, reaction: int) -> Expectation:
        """What to expect of an operator who takes ``reaction`` ns."""
        late = self.reaction_up_to is not None and reaction > self.reaction_up_to
        return Expectation("fail") if late else self


class _Expected(Kind):
    """A verdict, or a mapping that says more."""

    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> Expectation:
        _refuse_reaction(node)
        return _expectation(node, words)

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        whole = schema_of(Expectation, words)
        usual = {key: value for key, value in whole["properties"].items() if key != "reaction_up_to"}
        return {"anyOf": [enum(VERDICTS), {**whole, "properties": usual}]}


class _Arms(Kind):
    """Arm -> what it must show, in the file's order; at least one.

    The right runbook's may say up to which reaction that is fast enough.
    """

    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> dict[Arm, Expectation]:
        found = node.mapping("a mapping of arms to what they must show")
        if not found:
            raise node.expected("at least one arm")
        arms = {_arm(name, item): item for name, item in found.items()}
        return {
            arm: _right(item, words) if arm == RUNBOOK else _Expected.read(item, words) for arm, item in arms.items()
        }

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        usual, whole = _Expected.schema(words), schema_of(Expectation, words)
        timed = {
            **whole,
            "properties": {**whole["properties"], "verdict": {"const": "pass"}},
            "required": ["verdict", "reaction_up_to"],
        }
        others = [str(arm) for arm in ARMS if arm != RUNBOOK] + [f"{kind}:.+" for kind in DETAILED]
        properties: dict[str, Any] = {
            f"^{RUNBOOK}$": {"anyOf": [*usual["anyOf"], timed]},
            f"^({'|'.join(others)})$": usual,
        }
        return {"type": "object", "patternProperties": properties, "additionalProperties": False, "minProperties": 1}


if TYPE_CHECKING:
    Expected: TypeAlias = Expectation
    Arms: TypeAlias = dict[Arm, Expectation]
else:
    Expected, Arms = _Expected, _Arms


def _arm(name: str, node: Node) -> Arm:
    try:
        arm = Arm.parse(name)
    except ValueError:
        arm = None
    if arm is None or (arm.detail and not SLUG.match(arm.detail)):
        says = f"arms: unknown arm '{name}'; known: {', '.join(map(str, ARMS))}, without:STEP, wrong:NAME"
        raise node.bad(says, at_key=True)
    return arm


def _right(node: Node, words: Vocabulary | None) -> Expectation:
    found = _expectation(node, words)
    if found.reaction_up_to is not None and found.verdict != "pass":
        place = node.child("reaction_up_to")
        raise place.bad("reaction_up_to: how slow one may be to pass, but the verdict is not pass")
    return found


def _expectation(node: Node, words: Vocabulary | None) -> Expectation:
    if not isinstance(node.value, dict):
        return Expectation(node.one_of(VERDICTS, "verdict"))
    found = decode(Expectation, node, words)
    if found.by and found.verdict != "fail":
        says = f"{node.name}: 'by' says what makes it fail, but the verdict is {found.verdict}"
        raise node.child("by").bad(says)
    return found


def _refuse_reaction(node: Node) -> None:
    """A key of the right runbook's arm alone."""
    if isinstance(node.value, dict) and "reaction_up_to" in node.value:
        required, optional = keys_of(Expectation)
        usual = [key for key in (*required, *optional) if key != "reaction_up_to"]
        says = f"{prefix(node.place)}{unknown('key', 'reaction_up_to', usual)}"
        raise node.child("reaction_up_to").bad(says, at_key=True)
