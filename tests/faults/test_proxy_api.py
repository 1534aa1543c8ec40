"""The HTTP API says what Toxiproxy 2.12 says: status codes, bodies, order of checks."""

from __future__ import annotations

import re
import socket
from typing import Any

import pytest
import requests

TOXIC_DEFAULTS = {
    "latency": {"latency": 0, "jitter": 0},
    "bandwidth": {"rate": 0},
    "slow_close": {"delay": 0},
    "timeout": {"timeout": 0},
    "reset_peer": {"timeout": 0},
    "slicer": {"average_size": 0, "size_variation": 0, "delay": 0},
    "limit_data": {"bytes": 0},
}


@pytest.fixture
def call(server: Any, client: Any) -> Any:
    def make(method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        answer = requests.request(method, server.base + path, json=body, timeout=10, **more)
        return answer.status_code, answer.json() if answer.content else None

    return make


def test_a_proxy_is_created_shown_changed_and_deleted(call: Any) -> None:
    status, made = call("POST", "/proxies", {"name": "a", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:9"})
    assert status == 201
    assert made == {"name": "a", "listen": made["listen"], "upstream": "127.0.0.1:9", "enabled": True, "toxics": []}
    assert not made["listen"].endswith(":0")
    assert call("GET", "/proxies/a") == (200, made)
    assert call("GET", "/proxies") == (200, {"a": made})
    assert call("PATCH", "/proxies/a", {"enabled": False}) == (200, {**made, "enabled": False})
    assert call("POST", "/proxies/a", {"enabled": True}) == (200, made)
    assert call("POST", "/proxies/a", {}) == (200, made)
    assert call("PATCH", "/proxies/a", {"upstream": "127.0.0.1:10"})[1]["upstream"] == "127.0.0.1:10"
    assert call("DELETE", "/proxies/a") == (204, None)
    assert call("GET", "/proxies") == (200, {})


def test_a_disabled_proxy_does_not_listen_until_enabled(call: Any) -> None:
    body = {"name": "a", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:9", "enabled": False}
    assert call("POST", "/proxies", body) == (201, {**body, "toxics": []})
    status, opened = call("PATCH", "/proxies/a", {"enabled": True})
    assert (status, opened["enabled"]) == (200, True)
    assert not opened["listen"].endswith(":0")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"upstream": "127.0.0.1:9"}, "missing required field: name"),
        ({"name": "b"}, "missing required field: upstream"),
        ({"name": 3}, "bad request body"),
        ([], "bad request body"),
    ],
)
def test_a_bad_proxy_is_refused(call: Any, body: Any, says: str) -> None:
    status, error = call("POST", "/proxies", body)
    assert (status, error["status"]) == (400, 400)
    assert error["error"].startswith(says)


def test_no_body_at_all_is_a_bad_body(server: Any) -> None:
    answer = requests.post(server.base + "/proxies", data=b"{", timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("bad request body: ")


def test_a_second_proxy_of_the_name_conflicts(call: Any) -> None:
    body = {"name": "a", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:9"}
    call("POST", "/proxies", body)
    assert call("POST", "/proxies", body) == (409, {"error": "proxy already exists", "status": 409})


def test_an_occupied_port_is_an_error_and_leaves_no_proxy(call: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        status, error = call("POST", "/proxies", {"name": "a", "listen": listen, "upstream": "127.0.0.1:9"})
    assert (status, error) == (500, {"error": f"listen tcp {listen}: bind: address already in use", "status": 500})
    assert call("GET", "/proxies") == (200, {})


def test_each_answer_has_an_id_of_its_own(server: Any) -> None:
    agents = {"python": 200, "Mozilla/5.0": 403}
    paths = {"/proxies": 200, "/proxies/none": 404}
    found = [requests.get(server.base + path, timeout=10) for path in paths]
    found += [requests.get(server.base + "/proxies", headers={"User-Agent": agent}, timeout=10) for agent in agents]
    assert [answer.status_code for answer in found] == [*paths.values(), *agents.values()]
    ids = {answer.headers["X-Toxiproxy-Request-Id"] for answer in found}
    assert len(ids) == 4
    assert all(re.fullmatch("[0-9a-v]{20}", each) for each in ids)
    assert "X-Toxiproxy-Request-Id" not in requests.get(server.base + "/nowhere", timeout=10).headers


@pytest.mark.parametrize("listen", ["nonsense", "127.0.0.1:x", "127.0.0.1:99999"])
def test_an_address_that_is_none_is_an_error(call: Any, listen: str) -> None:
    status, error = call("POST", "/proxies", {"name": "a", "listen": listen, "upstream": "127.0.0.1:9"})
    assert status == 500
    assert listen in error["error"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/proxies/no"),
        ("POST", "/proxies/no"),
        ("PATCH", "/proxies/no"),
        ("DELETE", "/proxies/no"),
        ("GET", "/proxies/no/toxics"),
        ("POST", "/proxies/no/toxics"),
        ("GET", "/proxies/no/toxics/t"),
        ("DELETE", "/proxies/no/toxics/t"),
    ],
)
def test_an_unknown_proxy_is_404(call: Any, method: str, path: str) -> None:
    assert call(method, path, {}) == (404, {"error": "proxy not found", "status": 404})


@pytest.fixture
def a(call: Any) -> str:
    call("POST", "/proxies", {"name": "a", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:9"})
    return "/proxies/a/toxics"


@pytest.mark.parametrize("kind", TOXIC_DEFAULTS)
def test_each_toxic_is_added_with_its_defaults(call: Any, a: str, kind: str) -> None:
    toxic = {
        "attributes": TOXIC_DEFAULTS[kind],
        "name": f"{kind}_downstream",
        "type": kind,
        "stream": "downstream",
        "toxicity": 1,
    }
    assert call("POST", a, {"type": kind}) == (200, toxic)
    assert call("GET", f"{a}/{kind}_downstream") == (200, toxic)
    assert call("GET", a) == (200, [toxic])
    assert call("GET", "/proxies/a")[1]["toxics"] == [toxic]
    assert call("DELETE", f"{a}/{kind}_downstream") == (204, None)
    assert call("GET", a) == (200, [])


def test_toxics_are_listed_upstream_first_in_the_order_they_act(call: Any, a: str) -> None:
    for name, stream in (("d1", "downstream"), ("u1", "upstream"), ("d2", "downstream")):
        call("POST", a, {"name": name, "type": "latency", "stream": stream})
    assert [toxic["name"] for toxic in call("GET", a)[1]] == ["u1", "d1", "d2"]


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_toxic_update_changes_what_it_names(call: Any, a: str, method: str) -> None:
    call("POST", a, {"name": "t", "type": "latency", "toxicity": 0.5, "attributes": {"latency": 10, "jitter": 2}})
    status, shown = call(method, f"{a}/t", {"attributes": {"jitter": 3}})
    assert (status, shown["toxicity"], shown["attributes"]) == (200, 0.5, {"latency": 10, "jitter": 3})
    assert call(method, f"{a}/t", {"toxicity": 0.25})[1]["toxicity"] == 0.25
    assert call(method, f"{a}/t", {"attributes": {"jitter": "x"}})[0] == 400
    assert call("GET", f"{a}/t")[1]["attributes"] == {"latency": 10, "jitter": 3}


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"type": "latency", "stream": "sideways"}, 400, "stream was invalid, can be either upstream or downstream"),
        ({"type": "gremlin"}, 400, "invalid toxic type"),
        ({}, 400, "invalid toxic type"),
        ({"type": "latency", "attributes": {"latency": "1"}}, 400, "bad request body: "),
        ({"type": "latency", "attributes": {"latency": 1.5}}, 400, "bad request body: "),
        ({"type": "latency", "toxicity": "high"}, 400, "bad request body: "),
    ],
)
def test_a_bad_toxic_is_refused(call: Any, a: str, body: Any, status: int, says: str) -> None:
    answer = call("POST", a, body)
    assert answer[0] == answer[1]["status"] == status
    assert answer[1]["error"].startswith(says)
    assert call("GET", a) == (200, [])


def test_a_toxic_name_is_unique_over_both_streams(call: Any, a: str) -> None:
    call("POST", a, {"name": "t", "type": "latency", "stream": "upstream"})
    body = {"name": "t", "type": "timeout", "stream": "downstream"}
    assert call("POST", a, body) == (409, {"error": "toxic already exists", "status": 409})


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_an_unknown_toxic_is_404(call: Any, a: str, method: str) -> None:
    assert call(method, f"{a}/no", {}) == (404, {"error": "toxic not found", "status": 404})


def test_populate_creates_replaces_and_leaves_alone(call: Any) -> None:
    first = [{"name": name, "listen": "127.0.0.1:0", "upstream": "127.0.0.1:9"} for name in ("a", "b")]
    status, body = call("POST", "/populate", first)
    assert status == 201
    shown = {proxy["name"]: proxy for proxy in body["proxies"]}
    call("POST", "/proxies/a/toxics", {"name": "t", "type": "latency"})
    call("POST", "/proxies/b/toxics", {"name": "t", "type": "latency"})
    same = {"name": "a", "listen": shown["a"]["listen"].replace("127.0.0.1", "localhost"), "upstream": "127.0.0.1:9"}
    other = {"name": "b", "listen": shown["b"]["listen"], "upstream": "127.0.0.1:10"}
    status, body = call("POST", "/populate", [same, other])
    assert status == 201
    assert [proxy["upstream"] for proxy in body["proxies"]] == ["127.0.0.1:9", "127.0.0.1:10"]
    assert [len(proxy["toxics"]) for proxy in body["proxies"]] == [1, 0]


def test_populate_checks_all_before_it_creates_any(call: Any) -> None:
    good = {"name": "a", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:9"}
    status, error = call("POST", "/populate", [good, {"name": "b"}])
    assert (status, error["error"]) == (400, "missing required field: upstream at proxy 2")
    assert call("GET", "/proxies") == (200, {})


def test_populate_shows_what_it_did_before_an_error(call: Any) -> None:
    good = {"name": "a", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:9"}
    status, body = call("POST", "/populate", [good, {**good, "name": "b", "listen": "nonsense"}])
    assert (status, body["status"]) == (500, 500)
    assert [proxy["name"] for proxy in body["proxies"]] == ["a"]


def test_reset_opens_everything_and_removes_all_toxics(call: Any, a: str) -> None:
    call("POST", a, {"type": "latency"})
    call("POST", a, {"type": "timeout", "stream": "upstream"})
    call("POST", "/proxies/a", {"enabled": False})
    assert call("POST", "/reset") == (204, None)
    shown = call("GET", "/proxies/a")[1]
    assert (shown["enabled"], shown["toxics"]) == (True, [])


def test_version_metrics_and_unknown_paths(call: Any, a: str, server: Any) -> None:
    assert call("GET", "/version") == (200, {"version": "2.12.0-kunren"})
    text = requests.get(server.base + "/metrics", timeout=10).text
    assert 'toxiproxy_proxy_received_bytes_total{direction="upstream"' in text
    assert requests.get(server.base + "/nonsense", timeout=10).status_code == 404
    assert requests.delete(server.base + "/version", timeout=10).status_code == 405


def test_browsers_are_kept_out(server: Any) -> None:
    answer = requests.get(server.base + "/version", headers={"User-Agent": "Mozilla/5.0"}, timeout=10)
    assert (answer.status_code, answer.text.strip()) == (403, "User agent not allowed")
