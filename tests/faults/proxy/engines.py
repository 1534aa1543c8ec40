"""Both proxy servers behind one small client, and replies brought to what can be compared."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TIMEOUT_S = 10.0
ADDRESS = re.compile(r"\b(127\.0\.0\.1|localhost):(\d+)\b")


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, headers and body of an answer."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    def json(self) -> Any:
        return json.loads(self.raw)


@dataclass(frozen=True, slots=True)
class Engine:
    """One server: ``embedded`` or ``original``."""

    name: str
    port: int

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        within_s: float = TIMEOUT_S,
    ) -> Reply:
        """One request; ``body`` is sent as it is when it is bytes, as JSON when it is not None."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=within_s)
        try:
            connection.request(method, path, data, dict(headers or {}))
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def must(self, method: str, path: str, body: object = None) -> Any:
        """A request that has to succeed; its JSON."""
        reply = self.call(method, path, body)
        assert reply.status < 300, f"{self.name}: {method} {path}: {reply.status} {reply.raw!r}"
        return reply.json() if reply.raw else None


def comparable(reply: Reply, ports: Mapping[str, int]) -> tuple[int, Any]:
    """Status and body with ports under their names; left out is what ``faults/proxy/README.md`` says differs.

    That is the words of a decoder or of a host's look-up, and the ``Logger`` in a proxy.
    """
    named = {str(port): name for name, port in ports.items()}
    text = ADDRESS.sub(lambda found: f"{found[1]}:<{named.get(found[2], 'any')}>", reply.raw.decode())
    try:
        return reply.status, _plain(json.loads(text))
    except ValueError:
        return reply.status, text.strip()


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    shown = {key: _plain(each) for key, each in value.items() if key != "Logger"}
    if isinstance(said := shown.get("error"), str) and "status" in shown:
        looked_up = shown["status"] == 500 and not said.startswith("listen tcp 127.0.0.1:")
        shown["error"] = "<socket>" if looked_up else re.sub(r"^(bad request body): .*", r"\1: <why>", said)
    return shown
