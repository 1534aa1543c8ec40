"""One request, one answer: what a failure says of whether it can have been received."""

from __future__ import annotations

import http.client
import socket

import pytest

from targets.http_sync import NoReply, ask

from .ports import free_ports, here
from .servers import http_server, tcp_server


def test_an_answer_is_given_whole_or_as_much_of_it_as_was_asked_for() -> None:
    with http_server(lambda path: (404, {"X-Path": path}, b"not here")) as port:
        reply = ask(here(port), "GET", "/x", 5.0)
        assert (reply.status, reply.reason, reply.headers["X-Path"], reply.body) == (
            404,
            "Not Found",
            "/x",
            b"not here",
        )
        assert ask(here(port), "GET", "/x", 5.0, longest=3).body == b"not"


def test_a_redirect_is_an_answer_as_any_other() -> None:
    with http_server(lambda path: (302, {"Location": "/there"}, b"")) as port:
        assert ask(here(port), "GET", "/x", 5.0).status == 302


def test_a_body_and_headers_are_sent() -> None:
    heard: list[bytes] = []

    def listens(connection: socket.socket) -> None:
        while not b"".join(heard).endswith(b"{}"):
            heard.append(connection.recv(65_536))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with tcp_server(listens) as port:
        assert ask(here(port), "POST", "/x", 5.0, body=b"{}", headers={"X-Ops-Token": "t"}).body == b""
    head, body = b"".join(heard).split(b"\r\n\r\n")
    assert head.startswith(b"POST /x HTTP/1.1\r\n")
    assert b"X-Ops-Token: t" in head
    assert body == b"{}"


def test_who_accepts_nothing_has_received_nothing() -> None:
    (port,) = free_ports(1)
    with pytest.raises(NoReply, match="refused") as caught:
        ask(here(port), "GET", "/x", 1.0)
    assert not caught.value.connected
    assert isinstance(caught.value.cause, ConnectionRefusedError)


def test_who_accepts_and_breaks_off_may_have_received_it() -> None:
    with tcp_server(lambda connection: [connection.recv(1024), None][1]) as port, pytest.raises(NoReply) as caught:
        ask(here(port), "GET", "/x", 5.0)
    assert caught.value.connected
    assert isinstance(caught.value.cause, http.client.RemoteDisconnected)


def test_silence_ends_by_the_time_out() -> None:
    def hang(connection: socket.socket) -> None:
        connection.settimeout(20)
        while connection.recv(1024):
            pass

    with tcp_server(hang) as port, pytest.raises(NoReply, match="timed out") as caught:
        ask(here(port), "GET", "/x", 0.1)
    assert (caught.value.connected, isinstance(caught.value.cause, TimeoutError)) == (True, True)
