"""What each arm of a drill must show, so that ``verify`` can say whether the drill itself can be trusted."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from drills.spec.reader import SLUG, Node, Words

ARMS = ("no-fault", "false-alarm", "no-action", "runbook")
"""Arms of every drill; ``without:STEP`` and ``wrong:NAME`` come beside them."""

WITHOUT_RUNBOOK = ("no-fault", "no-action")

VERDICTS = ("pass", "fail", "unknown")

GRADES = ("performed", "some-challenges", "major-challenges", "unable")


class Expectation(msgspec.Struct, frozen=True):
    """The verdict an arm must end with.

    ``grade`` None: any. ``by``: check or objective ids that must all be red, so that the arm fails for its
    documented reason; empty: any reason. ``cause``: why a wrong variant is harmless here. ``reaction_up_to``: the
    slowest reaction, ns, at which the page has been shown to be fast enough; a slower one must fail. None: not shown.
    """

    verdict: str
    grade: str | None = None
    by: tuple[str, ...] = ()
    cause: Words | None = None
    reaction_up_to: int | None = None

    def at(self, reaction: int) -> Expectation:
        """What to expect of an operator who takes ``reaction`` ns."""
        late = self.reaction_up_to is not None and reaction > self.reaction_up_to
        return Expectation("fail") if late else self


def arms(node: Node, outcomes: Collection[str]) -> dict[str, Expectation]:
    """The ``arms:`` block: arm -> expectation, in the file's order; at least one."""
    found = node.mapping("a mapping of arms to what they must show")
    if not found:
        raise node.expected("at least one arm")
    for name, item in found.items():
        if not is_arm(name):
            raise item.bad(
                f"arms: unknown arm '{name}'; known: {', '.join(ARMS)}, without:STEP, wrong:NAME", at_key=True
            )
    return {name: _arm(name, item, outcomes) for name, item in found.items()}


def _arm(name: str, node: Node, outcomes: Collection[str]) -> Expectation:
    """What one arm must show; how slow an operator may be is a question to the right page alone."""
    if name != "runbook" or not isinstance(node.value, dict) or "reaction_up_to" not in node.value:
        return expectation(node, outcomes)
    fields = node.fields(("verdict", "reaction_up_to"), ())
    if fields["verdict"].one_of(VERDICTS, "verdict") != "pass":
        raise fields["reaction_up_to"].bad("reaction_up_to: how slow one may be to pass, but the verdict is not pass")
    return Expectation("pass", reaction_up_to=fields["reaction_up_to"].time(positive=True))


def expectation(node: Node, outcomes: Collection[str]) -> Expectation:
    """``pass``, ``fail``, or a mapping of verdict, grade and by; ``outcomes`` are the known check and metric ids."""
    if not isinstance(node.value, dict):
        return Expectation(node.one_of(VERDICTS, "verdict"))
    fields = node.fields(("verdict",), ("grade", "by"))
    verdict = fields["verdict"].one_of(VERDICTS, "verdict")
    grade = fields["grade"].one_of(GRADES, "grade") if "grade" in fields else None
    by = fields["by"].names(outcomes, "check or metric", least=1) if "by" in fields else ()
    if by and verdict != "fail":
        raise fields["by"].bad(f"{node.name}: 'by' says what makes it fail, but the verdict is {verdict}")
    return Expectation(verdict, grade, by)


def is_arm(name: str) -> bool:
    """Whether this is the form of an arm's name; the step or variant may still be unknown."""
    kind, colon, detail = name.partition(":")
    if not colon:
        return name in ARMS
    return kind in ("without", "wrong") and bool(SLUG.match(detail))
