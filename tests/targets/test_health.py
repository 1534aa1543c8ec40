"""What answered where a service is not healthy, and what is said to do about it."""

from __future__ import annotations

import socket
import ssl
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from targets import health
from targets.health import NoReply, explained, get, look
from targets.target import StartFailed

from .ipv6 import needs_ipv6
from .ports import free_ports
from .servers import Answer, http_server, tcp_server

HERE = "{here}"

ANSWERS: dict[str, tuple[Answer, str, str]] = {
    "redirected": (
        (301, {"Location": "/healthz/"}, b""),
        "301 Moved Permanently (Location: /healthz/, Server: ",
        "health must answer 200 itself: write health: /healthz/",
    ),
    "redirected by a relative path": ((302, {"Location": "live?x=1"}, b""), "302 Found", "write health: /live?x=1"),
    "redirected to itself": ((307, {"Location": "/healthz"}, b""), "307", "name a path that does not lead elsewhere"),
    "redirected elsewhere": (
        (301, {"Location": "http://example.com/healthz/"}, b""), "301", "name a path that does not lead elsewhere",
    ),
    "redirected to HTTPS": (
        (308, {"Location": "https://127.0.0.1/healthz"}, b""), "308", "it leads to HTTPS",
    ),
    "a log-in": (
        (401, {"WWW-Authenticate": "Basic"}, b"who?"),
        "401 Unauthorized (WWW-Authenticate: Basic, Server: ",
        "name a path that asks for no log-in",
    ),
    "no content": ((204, {}, b""), "204 No Content", "health must answer 200, not 204"),
    "no such path": ((404, {}, b"<h1>Not here</h1>"), "body '<h1>Not here</h1>'", "health must answer 200, not 404"),
    "not ready": (
        (503, {"Retry-After": "5"}, b"starting"), "503 Service Unavailable (Retry-After: 5, ", "a longer within",
    ),
    "a long body": ((500, {}, b"x" * 5000), f"body '{'x' * 80}'…", "see its log"),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "says", "fix"), ANSWERS.values(), ids=list(ANSWERS))
def test_an_answer_that_is_not_200_is_said_with_its_fix(answer: Answer, says: str, fix: str) -> None:
    with http_server(lambda path: answer) as port:
        seen = look(port, "/healthz")
        told = explained(seen, port)
    assert (seen.healthy, seen.host) == (False, "127.0.0.1")
    assert f"GET /healthz at 127.0.0.1:{port} answered {answer[0]} " in told
    assert says in told
    assert fix in told.partition("; fix: ")[2]


def test_200_is_healthy_at_either_address() -> None:
    needs_ipv6()
    for host in ("127.0.0.1", "::1"):
        with http_server(lambda path: (200, {}, path.encode()), host) as port:
            seen = look(port, "/healthz")
            assert (seen.healthy, seen.host) == (True, host)
            assert look(port, "tcp").host == host
            assert get(port, "/x", 5.0, host).body == "/x"


def test_an_answer_at_the_other_address_is_said_with_it() -> None:
    needs_ipv6()
    with http_server(lambda path: (404, {}, b""), "::1") as port:
        assert f"GET /healthz at [::1]:{port} answered 404" in look(port, "/healthz").says


def test_nobody_there_is_said_with_both_addresses() -> None:
    (port,) = free_ports(1)
    for asked in ("/healthz", "tcp"):
        told = explained(look(port, asked), port)
        assert told.startswith(f"nothing accepts connections at 127.0.0.1:{port} or [::1]:{port}; fix: ")


def hang(connection: socket.socket) -> None:
    connection.settimeout(20)
    while connection.recv(1024):
        pass


def reset(connection: socket.socket) -> None:
    connection.recv(1024)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_whoever_accepts_and_does_not_answer_in_http_is_told_apart() -> None:
    with tcp_server(hang) as port:
        assert "it accepted, but did not answer within 0.5 s" in look(port, "/healthz").says
        assert look(port, "tcp").healthy
    with tcp_server(lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")) as port:
        told = explained(look(port, "/healthz"), port)
        assert "it answered 'SSH-2.0-OpenSSH_9.2" in told
        assert told.endswith("; fix: where it speaks no HTTP write health: tcp")
    with tcp_server(lambda connection: [connection.recv(1024), None][1]) as port:
        assert "it closed the connection without an answer" in look(port, "/healthz").says
    with tcp_server(reset) as port:
        seen = look(port, "/healthz")
        assert (seen.host, seen.says) == ("127.0.0.1", f"GET /healthz at 127.0.0.1:{port}: connection reset by peer")


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "both.pem").write_bytes(pem + key.private_bytes(*plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    return context


def test_one_that_speaks_tls_is_known(tls: ssl.SSLContext) -> None:
    with http_server(lambda path: (200, {}, b"ok"), tls=tls) as port:
        told = explained(look(port, "/healthz"), port)
    assert "; it speaks TLS (TLSv1" in told
    assert told.endswith("let it serve plain HTTP in drills")


def test_one_that_says_400_to_plain_http_is_asked_in_tls(tls: ssl.SSLContext) -> None:
    def front(connection: socket.socket) -> None:
        if connection.recv(1, socket.MSG_PEEK) != b"\x16":
            connection.recv(1024)
            connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
            return
        tls.wrap_socket(connection, server_side=True).close()

    with tcp_server(front) as port:
        told = explained(look(port, "/healthz"), port)
    assert "answered 400 Bad Request, body 'Client sent an HTTP request to an HTTPS server" in told
    assert "; it speaks TLS (TLSv1" in told


def test_a_400_in_plain_http_is_no_tls() -> None:
    with http_server(lambda path: (400, {}, b"")) as port:
        told = explained(look(port, "/healthz"), port)
    assert "TLS" not in told
    assert told.endswith("health must answer 200, not 400: name a path that does, or write health: tcp")


def test_waiting_ends_with_the_last_answer_and_the_end_of_the_log(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_text("".join(f"line {number}\n" for number in range(30)))
    with http_server(lambda path: (503, {}, b"")) as port, pytest.raises(StartFailed) as caught:
        health.wait("web", port, "/healthz", 0.1, log, lambda: None)
    assert "web did not get healthy within 0.1 s: GET /healthz" in str(caught.value)
    assert "answered 503" in str(caught.value)
    assert str(caught.value).endswith("; its log ends: line 29")
    assert caught.value.log == tuple(f"line {number}" for number in range(20, 30))
    assert caught.value.words().splitlines()[1:] == [f"    line {number}" for number in range(20, 30)]


def test_nobody_there_is_no_reply() -> None:
    (port,) = free_ports(1)
    with pytest.raises(NoReply, match="connection refused") as caught:
        get(port, "/", 5.0)
    assert not caught.value.connected
