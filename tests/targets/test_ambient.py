"""Libraries that read the environment by themselves, in a process that did not begin with ``drills/start.py``."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from targets.brokerage import postgres
from targets.brokerage.direct import connect
from targets.containers import engine
from targets.toxiproxy import ToxiproxyClient

NOWHERE = "http://127.0.0.1:1"


class Answers(BaseHTTPRequestHandler):
    """An engine and a proxy server, as far as asking for their version goes."""

    seen: list[dict[str, str]]

    def do_GET(self) -> None:
        self.seen.append(dict(self.headers))
        body = json.dumps({"Version": "20.10.24", "ApiVersion": "1.41", "version": "2.12.0"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    handler = type("Seen", (Answers,), {"seen": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield serving
        serving.shutdown()
        thread.join(10)


@pytest.fixture
def detour(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Proxies, certificates and credentials that are meant for other programs."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, NOWHERE)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    return monkeypatch


def test_the_engine_is_asked_directly(detour: pytest.MonkeyPatch, server: ThreadingHTTPServer) -> None:
    detour.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{server.server_address[1]}")
    assert engine.version() == "20.10.24"
    seen: list[dict[str, str]] = server.RequestHandlerClass.seen  # type: ignore[attr-defined]
    assert len(seen) == 2  # which API it speaks, and then in that
    assert not [headers for headers in seen if "Authorization" in headers]


def test_the_proxy_server_is_asked_directly(detour: pytest.MonkeyPatch, server: ThreadingHTTPServer) -> None:
    assert ToxiproxyClient("127.0.0.1", server.server_address[1]).engine() == "toxiproxy 2.12.0"
    (headers,) = server.RequestHandlerClass.seen  # type: ignore[attr-defined]
    assert "Authorization" not in headers


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PGHOSTADDR", "127.0.0.9"),
        ("PGSERVICE", "nowhere"),
        ("PGSSLMODE", "require"),
        ("PGOPTIONS", "-c default_transaction_read_only=on"),
        ("PGTZ", "nonsense"),
        ("PGCLIENTENCODING", "nonsense"),
        ("PGTARGETSESSIONATTRS", "standby"),
        ("PGREQUIREAUTH", "scram-sha-256"),
    ],
)
def test_the_database_is_asked_as_written(
    postgres_port: int, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with connect(postgres.dsn(postgres_port), connect_timeout=10) as connection:
        (setting,) = connection.execute("SHOW default_transaction_read_only").fetchone() or ()
    assert setting == "off"
