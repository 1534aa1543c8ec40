"""The brokerage's services: what they answer while they are not healthy stands in the message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from targets.stack import Stack
from targets.target import TargetError

from .ports import free_ports
from .servers import http_server
from .stack import make_config


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Its api answers 503, everything else nothing."""
    with ExitStack() as servers:
        api = servers.enter_context(http_server(lambda path: (503, {}, b"")))
        (nobody,) = free_ports(1)
        made = Stack(make_config(tmp_path, {"api": api, "gateway": nobody, "postgres": nobody}, {}))
        monkeypatch.setattr(made, "control", lambda request: {"services": {}})
        yield made


@pytest.mark.parametrize(
    ("service", "answer"),
    [
        ("api", r"GET /healthz on port \d+ answered 503"),
        ("gateway", r"GET /healthz on port \d+: .*[Cc]onnection refused"),
        ("postgres", r"nothing accepts connections on port \d+"),
    ],
)
def test_the_last_answer_is_said(stack: Stack, service: str, answer: str) -> None:
    with pytest.raises(TargetError, match=rf"^{service} did not get healthy within 0 s: {answer}; it left no log$"):
        stack._wait_healthy((service,), within_s=0)
