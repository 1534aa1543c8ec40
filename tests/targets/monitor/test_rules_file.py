"""The rule file that both monitors load, and whatever our reader accepts, as Prometheus's own tool sees them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.brokerage.monitor.rules import RuleError, load_all, parse_rules
from targets.brokerage.monitor.service import RULES
from targets.brokerage.topology import TOPOLOGY
from targets.containers import prometheus

from ..stack import make_config
from .drawn import FEW
from .promtool import Promtool, count

pytestmark = pytest.mark.real

SPACES = st.sampled_from(["", " ", "\t\n", "\r"]) | st.sampled_from(["", "\v", "\x1c", "\x85", "\u00a0", "\u2003"])
DIGITS = st.sampled_from(["0", "1", "25", "293"]) | st.sampled_from(["3", "007", "1\u0661", "\uff11"])
WORDS = ("m", "a:b", "_", "and", "by", "offset", "sum", "start", "inf", "NaN", "bool", "on", "group_left", "5m")


def rule(expr: str = "up == 0", hold: str = "1s", shown: str = "x") -> dict[str, object]:
    return {"expr": expr, "for": hold, "annotations": {"s": shown}}


@st.composite
def expressions(draw: st.DrawFn) -> dict[str, object]:
    """An expression that may be outside the subset by a character."""
    s, value = draw(SPACES), draw(st.text('é\\"#}\t', max_size=2))
    matchers = ("", f"{{{s}}}", "{a='x'}", f'{{a{s}!="x"}}', f'{{a="{value}"}}', '{by="x",}', '{a="x",a="y"}')
    op = draw(st.sampled_from([">", "<", ">=", "<=", "==", "!=", "=", "=>"]))
    figure = draw(st.sampled_from(["{}", "{}.", ".{}", "-{}", "1e{}", "0{}", "+{}.5", "0x{}"])).format(draw(DIGITS))
    return rule(f"{draw(st.sampled_from(WORDS))}{s}{draw(st.sampled_from(matchers))}{op}{draw(SPACES)}{figure}")


NEARLY = st.one_of(
    expressions(),
    st.builds(str.format, st.sampled_from(["{}ms", "{}s", "1m{}s", "1s{}m", "{}y", "{}"]), DIGITS).map(
        lambda hold: rule(hold=hold)
    ),
    st.builds(
        str.replace,
        st.sampled_from(["{{#$labels.x }}", "{{{ $labels.x#}}}", "{ {#}}", "{{ $labels.#x }}", "#{{ $x }}"]),
        st.just("#"),
        SPACES,
    ).map(lambda shown: rule(shown=shown)),
)
"""Rules that may be outside the subset by a character."""


def as_file(*each: dict[str, object]) -> str:
    named = [{**one, "alert": f"A{index}"} for index, one in enumerate(each)]  # promtool's lint minds equal ones
    return json.dumps({"groups": [{"name": "g", "rules": named}]})


def accepted(text: str) -> bool:
    try:
        parse_rules(text, "near.yml")
    except RuleError:
        return False
    return True


def test_prometheus_finds_in_our_file_the_rules_that_we_find(promtool: Promtool) -> None:
    assert count(promtool.rules(*RULES)) == sum(len(group.rules) for group in load_all(RULES)) > 0


def test_prometheus_starts_with_what_the_containers_mount(promtool: Promtool, tmp_path: Path) -> None:
    ports = dict.fromkeys(TOPOLOGY.owners, 9_000)
    prometheus.write(tmp_path, make_config(tmp_path, ports, {}))
    assert sorted(each.read_bytes() for each in tmp_path.glob("*.rules.yml")) == sorted(map(Path.read_bytes, RULES))
    assert count(promtool.config(tmp_path / "prometheus.yml")) == count(promtool.rules(*RULES))


def test_a_broken_file_is_not_accepted(promtool: Promtool) -> None:
    assert not promtool.rules(promtool.written(as_file(rule("m >")))).agrees


@FEW
@given(st.lists(NEARLY, min_size=40, max_size=40))
def test_what_our_reader_accepts_prometheus_accepts(promtool: Promtool, drawn: list[dict[str, object]]) -> None:
    ours = [each for each in drawn if accepted(as_file(each))]
    assert count(promtool.rules(promtool.written(as_file(*ours)))) == len(ours)
