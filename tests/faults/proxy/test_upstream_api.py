"""The embedded proxy passes the original's own tests of its API, but for what is meant to differ."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .engines import Engine
from .original import NotHereError
from .upstream import fetch, run

pytestmark = pytest.mark.real

DIFFERENT = {
    "TestVersionEndpointReturnsVersion": "asks for the version of an unstamped build; ours says which proxy it is",
}
"""Their tests that are to fail here, and why. Each stands in the table of ``faults/proxy/README.md``."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return fetch(tmp_path_factory.mktemp("upstream"))
    except NotHereError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


def test_their_tests_of_the_api(source: Path, embedded: Engine) -> None:
    passed = run(source, embedded.port)
    assert len(passed) == 34
    assert {name for name, each in passed.items() if not each} == set(DIFFERENT)
    assert embedded.must("GET", "/proxies") == {}
