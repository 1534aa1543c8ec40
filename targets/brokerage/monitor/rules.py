"""Loads the subset of Prometheus rule files that this monitor evaluates.

Whatever is outside the subset is refused at load with ``file:line``, because a rule that is silently not evaluated
looks exactly like health. Inside the subset Prometheus itself must accept the file and mean the same by it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar

import yaml

SUBSET = 'metric{label="value",label!="value"} OP number, where OP is one of > < >= <= == !='
"""The expressions that are understood."""

T = TypeVar("T")
MS = 1_000_000
_UNITS = {"y": 31_536_000_000, "w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_MAX_NS = 2**63 - 1  # what Go's time.Duration holds, 292 years
_DURATION = re.compile("".join(rf"(?:(?P<{unit}>[0-9]+){unit})?" for unit in _UNITS))
_S = r"[ \t\r\n]*"  # PromQL and Go templates know no other white space: \s and \d would let Unicode's in
_METRIC = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_MATCHER = rf'{_S}{_LABEL.pattern}{_S}!?={_S}"[^"\\\n]*"{_S}'
# No leading zero: PromQL would read octal.
_NUMBER = r"[+-]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_EXPR = re.compile(
    rf"{_S}(?P<metric>{_METRIC}){_S}"
    rf"(?:\{{(?P<matchers>{_S}|{_MATCHER}(?:,{_MATCHER})*)\}})?{_S}"
    rf"(?P<op>>=|<=|==|!=|>|<){_S}(?P<number>{_NUMBER}){_S}"
)
_ONE_MATCHER = re.compile(rf'({_LABEL.pattern}){_S}(!?=){_S}"([^"\\\n]*)"')
_TEMPLATE = re.compile(rf"\{{\{{{_S}\$labels\.({_LABEL.pattern}){_S}\}}\}}")
_TEMPLATED = re.compile(rf"(?:(?!\{{\{{)[\s\S]|{_TEMPLATE.pattern})*")  # the first {{ opens, also in {{{
_NOT_METRICS = frozenset(
    {"inf", "nan", "bool", "on", "ignoring", "group_left", "group_right", "atan2"}
)  # words of PromQL


class RuleError(ValueError):
    """A rule file that cannot be loaded; the message is ``file:line: what was found and what is understood``."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """``label = value`` or its negation; a label that is absent equals the empty string, as in PromQL."""

    label: str
    equal: bool
    value: str

    def accepts(self, labels: Mapping[str, str]) -> bool:
        """Whether a series with these labels is selected."""
        return (labels.get(self.label, "") == self.value) is self.equal


@dataclass(frozen=True, slots=True)
class Expr:
    """``metric{matchers} op number``."""

    metric: str
    matchers: tuple[Matcher, ...]
    op: str
    number: float


@dataclass(frozen=True, slots=True)
class Rule:
    """One alerting rule; ``hold_ns`` is its ``for``. Labels and annotations are as written."""

    group: str
    alert: str
    expr: Expr
    hold_ns: int
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Group:
    """Rules evaluated together, every ``interval_ns`` (None: as often as the monitor does by default)."""

    name: str
    interval_ns: int | None
    rules: tuple[Rule, ...]


def parse_duration(text: str) -> int:
    """Prometheus's durations (``250ms``, ``2s``, ``1h30m``, ``0``) in nanoseconds; ValueError for anything else."""
    if text == "0":
        return 0
    found = _DURATION.fullmatch(text)
    if not text or found is None:
        raise ValueError(f"{text!r} is not a duration such as 250ms, 2s or 1h30m")
    ns = sum(int(count) * _UNITS[unit] for unit, count in found.groupdict().items() if count) * MS
    if ns > _MAX_NS:
        raise ValueError(f"{text!r} is not a duration that Prometheus can hold: it is longer than 292 years")
    return ns


def parse_expr(text: str) -> Expr:
    """An expression of the subset; ValueError names the subset for anything else."""
    found = _EXPR.fullmatch(text)
    if found is None or found["metric"].lower() in _NOT_METRICS:
        raise ValueError(f"expression {text!r} is outside the subset; understood is: {SUBSET}")
    matchers = tuple(
        Matcher(label, op == "=", value) for label, op, value in _ONE_MATCHER.findall(found["matchers"] or "")
    )
    if any(matcher.label == "__name__" for matcher in matchers):
        raise ValueError(f"expression {text!r}: the metric's name stands before the braces, not as __name__")
    number = float(found["number"])
    if not math.isfinite(number):
        raise ValueError(f"expression {text!r}: the number is too large")
    return Expr(found["metric"], matchers, found["op"], number)


def expand(text: str, labels: Mapping[str, str]) -> str:
    """Fill in ``{{ $labels.NAME }}``; an absent label gives nothing, as in Prometheus."""
    return _TEMPLATE.sub(lambda found: labels.get(found[1], ""), text)


def load_all(paths: Iterable[Path]) -> tuple[Group, ...]:
    """The groups of several rule files; RuleError as ``load_rules``, and where two of them use one name."""
    found: dict[str, Group] = {}
    for path in paths:
        for group in load_rules(path):
            if group.name in found:
                raise RuleError(f"{path}: group {group.name!r} is in another file too")
            found[group.name] = group
    return tuple(found.values())


def load_rules(path: Path) -> tuple[Group, ...]:
    """The groups of a rule file. Raises RuleError for a file that is unreadable or outside the subset."""
    try:
        return parse_rules(path.read_text(encoding="utf-8"), path.name)
    except OSError as error:
        raise RuleError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise RuleError(f"{path}: not UTF-8") from error


def parse_rules(text: str, name: str) -> tuple[Group, ...]:
    """As ``load_rules``, from text; ``name`` is what messages call the file."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise RuleError(f"{name}:{mark.line + 1 if mark else 1}: not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise RuleError(f"{name}:1: not YAML: {error}") from error
    if root is None:
        raise RuleError(f"{name}:1: empty; expected groups:")
    return _Reader(name).groups(root)


class _Reader:
    """Walks YAML nodes, because only nodes know their lines."""

    def __init__(self, name: str) -> None:
        self._name = name

    def groups(self, root: yaml.Node) -> tuple[Group, ...]:
        top = self._mapping(root, required=("groups",))
        found = [self._group(node) for node in self._list(top["groups"])]
        names = [group.name for group in found]
        for index, name in enumerate(names):
            if name in names[:index]:
                self._refuse(top["groups"], f"group {name!r} appears twice")
        return tuple(found)

    def _group(self, node: yaml.Node) -> Group:
        fields = self._mapping(node, required=("name", "rules"), optional=("interval",))
        name = self._text(fields["name"])
        interval = self._read(fields["interval"], parse_duration) if "interval" in fields else None
        if interval == 0:
            self._refuse(fields["interval"], "interval must be longer than 0")
        return Group(name, interval, tuple(self._rule(name, each) for each in self._list(fields["rules"])))

    def _rule(self, group: str, node: yaml.Node) -> Rule:
        fields = self._mapping(node, required=("alert", "expr"), optional=("for", "labels", "annotations"))
        labels = self._strings(fields.get("labels"))
        for key in ("alertname", "__name__"):
            if key in labels:
                self._refuse(fields["labels"], f"label {key} is set by the monitor itself")
        for value in labels.values():
            if "{{" in value:
                self._refuse(fields["labels"], f"label value {value!r}: templates are understood in annotations only")
        annotations = self._strings(fields.get("annotations"))
        for value in annotations.values():
            if not _TEMPLATED.fullmatch(value):
                self._refuse(
                    fields["annotations"], f"annotation {value!r}: the only template is {{{{ $labels.NAME }}}}"
                )
        return Rule(
            group=group,
            alert=self._text(fields["alert"]),
            expr=self._read(fields["expr"], parse_expr),
            hold_ns=self._read(fields["for"], parse_duration) if "for" in fields else 0,
            labels=labels,
            annotations=annotations,
        )

    def _strings(self, node: yaml.Node | None) -> dict[str, str]:
        if node is None:
            return {}
        found: dict[str, str] = {}
        for key, value in self._pairs(node):
            if not _LABEL.fullmatch(key):
                self._refuse(node, f"{key!r} is not a label name ({_LABEL.pattern})")
            found[key] = self._text(value)
        return found

    def _mapping(
        self, node: yaml.Node, required: tuple[str, ...], optional: tuple[str, ...] = ()
    ) -> dict[str, yaml.Node]:
        found = dict(self._pairs(node))
        known = (*required, *optional)
        for key, value in found.items():
            if key not in known:
                self._refuse(value, f"{key!r} is outside the subset; understood here: {', '.join(known)}")
        for key in required:
            if key not in found:
                self._refuse(node, f"{key!r} is missing")
        return found

    def _pairs(self, node: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            self._refuse(node, "expected a mapping")
        seen: set[str] = set()
        for key_node, value in node.value:
            key = self._text(key_node)
            if key in seen:
                self._refuse(key_node, f"{key!r} appears twice")
            seen.add(key)
            yield key, value

    def _list(self, node: yaml.Node) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            self._refuse(node, "expected a list")
        return list(node.value)

    def _text(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value or node.tag == "tag:yaml.org,2002:null":
            self._refuse(node, "expected a text that is not empty")
        if any("\ud800" <= char <= "\udfff" for char in node.value):  # by an escape; no UTF-8 can carry it
            self._refuse(node, "half a surrogate pair is not a character")
        return str(node.value)

    def _read(self, node: yaml.Node, parse: Callable[[str], T]) -> T:
        text = self._text(node)
        try:
            return parse(text)
        except ValueError as error:
            self._refuse(node, str(error))

    def _refuse(self, node: yaml.Node, says: str) -> NoReturn:
        raise RuleError(f"{self._name}:{node.start_mark.line + 1}: {says}")
