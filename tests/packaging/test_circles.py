"""Modules that import each other in a circle: none among targets, elsewhere a list that may only get shorter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

PACKAGES = ("targets", "drills", "faults", "loadprofiles", "reports")

KNOWN = {
    frozenset({"faults.proxy.connection", "faults.proxy.stage", "faults.proxy.stream"}),
}


def circles(*packages: str) -> Iterator[frozenset[str]]:
    """The largest sets of modules that all reach each other, by imports for the type checker and in functions too."""
    first, *others = packages
    graph = grimp.build_graph(first, *others, cache_dir=None)
    left = set(graph.modules)
    while left:
        module = left.pop()
        around = graph.find_upstream_modules(module) & graph.find_downstream_modules(module)
        if around - {module}:
            yield frozenset({*around, module})
            left -= around


def test_there_are_no_other_circles() -> None:
    found = set(circles(*PACKAGES))
    assert not [each for each in found if any(name.startswith("targets.") for name in each)]
    assert found - KNOWN == set()
    assert KNOWN - found == set(), "these are gone: take them off the list"


@pytest.mark.parametrize(
    "closing",
    [
        "from circled import one",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from circled import one",
        "def later():\n    import circled.one",
    ],
)
def test_a_circle_is_found_however_it_is_closed(closing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "circled"
    package.mkdir()
    texts = {"__init__": "", "one": "from circled import two", "two": "import circled.three", "three": closing}
    for name, text in texts.items():
        (package / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert list(circles("circled")) == [frozenset({"circled.one", "circled.two", "circled.three"})]
