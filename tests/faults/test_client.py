"""The wrapped toxiproxy-python: errors, read-back, two servers in one process, and a removal that hangs."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from targets import proxy_engine
from targets.target import Proxies, TargetError
from targets.toxiproxy import ProxyError, ProxyNotFound, ProxyUnreachable, ToxiproxyClient, engine_command


class TestAgainstTheEmbeddedServer:
    def test_it_is_what_targets_expect(self, client: ToxiproxyClient) -> None:
        as_contract: Proxies = client
        assert as_contract.engine() == "embedded 2.12.0"

    def test_create_toxics_and_the_way_back(self, client: ToxiproxyClient) -> None:
        listen = client.create("a", "127.0.0.1:0", "localhost:9")
        assert client.listen("a") == listen
        assert client.proxies()["a"].upstream == "127.0.0.1:9"
        client.add_toxic("a", "t", "latency", "upstream", 0.3, {"latency": 10})
        shown = {"type": "latency", "stream": "upstream", "toxicity": 0.3, "attributes": {"latency": 10, "jitter": 0}}
        assert client.toxics("a") == {"t": shown}
        client.update_toxic("a", "t", 0.4, {"jitter": 5})
        assert client.toxics("a")["t"]["attributes"] == {"latency": 10, "jitter": 5}
        client.remove_toxic("a", "t")
        client.remove_toxic("a", "t")
        assert client.toxics("a") == {}
        client.set_enabled("a", False)
        assert not client.enabled("a")
        client.reset()
        assert client.enabled("a")
        client.destroy("a")
        client.destroy("a")
        assert client.proxies() == {}

    def test_populate_does_not_recreate_what_was_named_localhost(self, client: ToxiproxyClient) -> None:
        rows = [{"name": "a", "listen": "localhost:0", "upstream": "localhost:9"}]
        listen = client.populate(rows)["a"]
        client.add_toxic("a", "t", "latency", "upstream", 1, {})
        assert client.populate([{**rows[0], "listen": listen.replace("127.0.0.1", "localhost")}]) == {"a": listen}
        assert list(client.toxics("a")) == ["t"]

    def test_errors(self, client: ToxiproxyClient) -> None:
        client.create("a", "127.0.0.1:0", "127.0.0.1:9")
        with pytest.raises(ProxyError, match="already exists"):
            client.create("a", "127.0.0.1:0", "127.0.0.1:9")
        with pytest.raises(ProxyError, match="500"):
            client.create("b", "nonsense", "127.0.0.1:9")
        with pytest.raises(ProxyError, match="invalid toxic type"):
            client.add_toxic("a", "t", "gremlin", "upstream", 1, {})
        with pytest.raises(ProxyNotFound, match="proxy not found"):
            client.toxics("b")
        with pytest.raises(ProxyNotFound, match="proxy not found"):
            client.remove_toxic("b", "t")
        with pytest.raises(ProxyNotFound, match="toxic not found"):
            client.update_toxic("a", "t", 1, {})
        assert issubclass(ProxyError, TargetError)

    def test_two_servers_do_not_mix(self, client: ToxiproxyClient, start_proxy: Any) -> None:
        other = start_proxy().client
        client.create("mine", "127.0.0.1:0", "127.0.0.1:9")
        other.create("theirs", "127.0.0.1:0", "127.0.0.1:9")
        assert list(client.proxies()) == ["mine"]
        assert list(other.proxies()) == ["theirs"]

    def test_a_proxy_for_the_web_is_not_asked(self, client: ToxiproxyClient, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert client.engine().startswith("embedded")

    def test_who_listens_is_checked(self, server: Any) -> None:
        server.client.wait_ready(5, server.process.pid)
        with pytest.raises(ProxyUnreachable, match="is not the process 1"):
            server.client.wait_ready(5, 1)


class Broken:
    """A Toxiproxy look-alike with one proxy ``a`` and one toxic ``t``, whose answers the test decides."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.toxics: list[dict[str, Any]] = []
        self.created: dict[str, Any] = {}
        self.stuck = False
        self.hang = threading.Event()
        self.hanging = False
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length) or b"{}")
                outer.calls.append(f"{self.command} {self.path}")
                status, answer = outer.answer(self.command, self.path, body)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            do_GET = do_POST = do_DELETE = handle_one  # noqa: N815

            def log_message(self, *args: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()
        self.client = ToxiproxyClient("127.0.0.1", self.server.server_address[1], timeout_s=0.5)

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if self.status != 200:
            return self.status, {"error": "as told", "status": self.status}
        if self.stuck and path.startswith("/proxies/a") and (method, path) != ("DELETE", "/proxies/a"):
            self.hang.wait(20)
        if method == "DELETE" and path == "/proxies/a":
            self.toxics, self.stuck = [], False
        elif method == "DELETE" and self.hanging:
            self.hang.wait(20)
        if method == "POST" and path == "/proxies":
            self.created = body
        if method == "POST" and path == "/proxies/a/toxics" and self.created:
            self.toxics.append(body)
        if path.endswith("/toxics"):
            return 200, self.toxics
        shown = {
            "name": "a",
            "listen": "127.0.0.1:7",
            "upstream": "127.0.0.1:9",
            "enabled": True,
            "toxics": self.toxics,
        }
        return 200, {"a": shown} if path == "/proxies" else {**shown, "version": "x"}

    def close(self) -> None:
        self.hang.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(20)


@pytest.fixture
def broken() -> Iterator[Broken]:
    made = Broken()
    yield made
    made.close()


T = {"name": "t", "type": "timeout", "stream": "upstream", "toxicity": 1, "attributes": {"timeout": 0}}


def test_a_removal_that_hangs_goes_on_with_a_new_proxy(broken: Broken) -> None:
    other = {**T, "name": "somebody-elses"}
    broken.toxics, broken.hanging = [T, other], True
    broken.client.remove_toxic("a", "t")
    changes = [call for call in broken.calls if not call.startswith("GET")]
    again = ["DELETE /proxies/a", "POST /proxies", "POST /proxies/a/toxics"]
    assert changes == ["DELETE /proxies/a/toxics/t", *again]
    assert broken.created == {"name": "a", "listen": "127.0.0.1:7", "upstream": "127.0.0.1:9", "enabled": True}
    assert broken.toxics == [other]


def test_a_link_whose_every_call_hangs_is_made_anew_as_it_was_last_seen(broken: Broken) -> None:
    assert broken.client.listen("a") == "127.0.0.1:7"
    broken.toxics, broken.stuck = [T], True
    broken.client.remove_toxic("a", "t")
    assert [call for call in broken.calls if not call.startswith("GET")] == ["DELETE /proxies/a", "POST /proxies"]
    assert broken.toxics == []


def test_a_link_that_hangs_and_was_never_seen_is_an_error(broken: Broken) -> None:
    broken.stuck = True
    with pytest.raises(ProxyUnreachable):
        broken.client.remove_toxic("a", "t")


@pytest.mark.parametrize("status", [400, 404, 409, 418, 500, 503])
def test_whatever_is_not_2xx_is_an_error(broken: Broken, status: int) -> None:
    broken.status = status
    with pytest.raises(ProxyError, match="as told"):
        broken.client.engine()


def test_a_change_that_does_not_read_back_is_an_error(broken: Broken) -> None:
    with pytest.raises(ProxyError, match="is not on a after being added"):
        broken.client.add_toxic("a", "t", "timeout", "upstream", 1, {})
    broken.toxics = [T]
    with pytest.raises(ProxyError, match=r"toxicity reads back as 1, asked for 0\.5"):
        broken.client.add_toxic("a", "t", "timeout", "upstream", 0.5, {})
    with pytest.raises(ProxyError, match="attributes reads back"):
        broken.client.update_toxic("a", "t", 1, {"timeout": 7})
    with pytest.raises(ProxyError, match="still closed or toxic after reset: a"):
        broken.client.reset()


def test_nobody_there_is_said_in_time() -> None:
    client = ToxiproxyClient("127.0.0.1", 9, timeout_s=0.2)
    with pytest.raises(ProxyUnreachable, match="no answer"):
        client.wait_ready(0.1)


def program(path: Path, does: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{does}\n")
    path.chmod(0o755)
    return path


class TestEngineCommand:
    @pytest.fixture(autouse=True)
    def _clean(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.delenv("KUNREN_TOXIPROXY", raising=False)
        monkeypatch.setenv("KUNREN_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("PATH", str(tmp_path))

    @pytest.fixture
    def original(self, tmp_path: Path) -> str:
        return str(program(tmp_path / "toxiproxy-server"))

    def test_auto_prefers_the_original(self, original: str) -> None:
        assert engine_command("auto", 7) == [original, "-host", "127.0.0.1", "-port", "7"]
        assert engine_command("toxiproxy", 7)[0] == original
        assert engine_command("embedded", 7)[0] == sys.executable

    def test_auto_without_the_original_is_embedded(self) -> None:
        argv = engine_command("auto", 0, Path("/x/port"))
        assert argv[4:] == ["faults.proxy", "--host", "127.0.0.1", "--port", "0", "--port-file", "/x/port"]

    def test_the_environment_names_one(self, original: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KUNREN_TOXIPROXY", original)
        monkeypatch.setenv("PATH", "/nowhere")
        assert engine_command("auto", 7)[0] == original

    def test_the_one_that_was_built_is_used_when_asked_for_by_name(self) -> None:
        built = program(proxy_engine.built())
        assert engine_command("toxiproxy", 7)[0] == str(built)
        assert engine_command("auto", 7)[0] == sys.executable

    def test_the_installed_one_comes_before_the_one_that_was_built(self, original: str) -> None:
        program(proxy_engine.built())
        assert engine_command("toxiproxy", 7)[0] == original

    def test_what_is_missing_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(TargetError, match=r"no toxiproxy-server: put one on PATH, .* make toxiproxy"):
            engine_command("toxiproxy", 7)
        with pytest.raises(TargetError, match="known are auto, embedded, toxiproxy"):
            engine_command("nginx", 7)
        monkeypatch.setenv("KUNREN_TOXIPROXY", "/no/such/program")
        with pytest.raises(TargetError, match="KUNREN_TOXIPROXY=/no/such/program is no program"):
            engine_command("auto", 7)
        assert engine_command("embedded", 7)[0] == sys.executable

    def test_examined_by_starting_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def found() -> tuple[bool, str]:
            finding = proxy_engine.examine()
            assert not finding.needed
            return finding.ok, finding.says

        assert found() == (False, "no toxiproxy-server: the embedded proxy is used")
        built = program(proxy_engine.built(), "echo toxiproxy-server version 2.12.0")
        assert found() == (True, f"2.12.0 at {built}: --proxy toxiproxy, while auto takes the embedded one")
        installed = program(tmp_path / "toxiproxy-server", "echo toxiproxy-server version git")
        assert found() == (True, f"git at {installed}: --proxy auto")
        program(installed, "echo something else")
        assert found() == (False, f"{installed} is no Toxiproxy: it does not say its version")
        monkeypatch.setenv("KUNREN_TOXIPROXY", "/no/such/program")
        assert found() == (
            False,
            "KUNREN_TOXIPROXY=/no/such/program is no program: unset it, or use --proxy embedded",
        )

    def test_a_process_that_is_gone_listens_nowhere(self) -> None:
        assert not proxy_engine.listens(2**22 - 3, 7)
