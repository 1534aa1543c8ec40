"""What each toxic does to real connections: counts, order, state. A time is only ever checked as "not before"."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faults.proxy.toxics import Slicer


def recv_exactly(sock: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count:
        more = sock.recv(count - len(got))
        assert more, f"closed after {len(got)} of {count} bytes"
        got += more
    return got


def ask(sock: socket.socket, data: bytes) -> bytes:
    sock.sendall(data)
    return recv_exactly(sock, len(data))


def end_of(sock: socket.socket) -> str:
    """``closed`` or ``reset``; whatever bytes come before are an error."""
    try:
        assert sock.recv(1) == b""
    except ConnectionResetError:
        return "reset"
    return "closed"


def silent_for(sock: socket.socket, seconds: float) -> bool:
    before = sock.gettimeout()
    sock.settimeout(seconds)
    try:
        sock.recv(1)
    except TimeoutError:
        return True
    else:
        return False
    finally:
        sock.settimeout(before)


def took_ms(sock: socket.socket, data: bytes) -> float:
    began = time.monotonic()
    assert ask(sock, data) == data
    return (time.monotonic() - began) * 1000


class TestLatency:
    def test_delays_each_direction_and_ends_when_removed(self, link: Any, connect: Any, client: Any) -> None:
        sock = connect(link())
        assert ask(sock, b"x") == b"x"
        client.add_toxic("link", "up", "latency", "upstream", 1, {"latency": 150})
        assert took_ms(sock, b"a") >= 149
        client.add_toxic("link", "down", "latency", "downstream", 1, {"latency": 150})
        assert took_ms(sock, b"b") >= 298
        assert took_ms(connect(client.listen("link")), b"c") >= 298
        client.remove_toxic("link", "up")
        client.remove_toxic("link", "down")
        assert ask(sock, b"d") == b"d"
        assert client.toxics("link") == {}

    def test_keeps_order_with_jitter_and_does_not_lose_the_end(self, link: Any, connect: Any, client: Any) -> None:
        sock = connect(link())
        client.add_toxic("link", "t", "latency", "upstream", 1, {"latency": 5, "jitter": 5})
        sent = b""
        for number in range(300):
            piece = b"%d," % number
            sock.sendall(piece)
            sent += piece
        sock.shutdown(socket.SHUT_WR)
        assert recv_exactly(sock, len(sent)) == sent
        assert end_of(sock) == "closed"

    def test_does_not_limit_the_rate(self, link: Any, connect: Any, client: Any) -> None:
        sock = connect(link())
        client.add_toxic("link", "t", "latency", "upstream", 1, {"latency": 300})
        began = time.monotonic()
        for _ in range(20):  # one after the other they would take 6 s
            sock.sendall(b"x")
            time.sleep(0.01)
        recv_exactly(sock, 20)
        assert 0.3 <= time.monotonic() - began < 5.0

    def test_removing_it_lets_go_what_it_holds(self, link: Any, connect: Any, client: Any) -> None:
        sock = connect(link())
        client.add_toxic("link", "t", "latency", "upstream", 1, {"latency": 600_000})
        sock.sendall(b"held")
        assert silent_for(sock, 0.2)
        client.remove_toxic("link", "t")
        assert recv_exactly(sock, 4) == b"held"

    def test_an_update_acts_on_what_it_holds(self, link: Any, connect: Any, client: Any) -> None:
        sock = connect(link())
        client.add_toxic("link", "t", "latency", "upstream", 1, {"latency": 600_000})
        sock.sendall(b"held")
        assert silent_for(sock, 0.2)
        client.update_toxic("link", "t", 1, {"latency": 1})
        assert recv_exactly(sock, 4) == b"held"


class TestBandwidth:
    def test_is_not_faster_than_its_rate(self, link: Any, connect: Any, client: Any) -> None:
        sock = connect(link())
        client.add_toxic("link", "t", "bandwidth", "downstream", 1, {"rate": 100})
        began = time.monotonic()
        assert ask(sock, b"x" * 50_000) == b"x" * 50_000
        assert time.monotonic() - began >= 0.47  # 500 ms, of which 10 may be caught up

    def test_a_rate_of_zero_holds_everything_until_removed(self, link: Any, connect: Any, client: Any) -> None:
        sock = connect(link())
        client.add_toxic("link", "t", "bandwidth", "upstream", 1, {"rate": 0})
        sock.sendall(b"held")
        assert silent_for(sock, 0.3)
        client.remove_toxic("link", "t")
        assert recv_exactly(sock, 4) == b"held"


class TestSlowClose:
    def test_delays_the_end_not_the_data(self, link: Any, connect: Any, client: Any) -> None:
        sock = connect(link(lambda connection: connection.sendall(b"bye")))
        client.add_toxic("link", "t", "slow_close", "downstream", 1, {"delay": 200})
        sock = connect(client.listen("link"))
        assert recv_exactly(sock, 3) == b"bye"
        began = time.monotonic()
        assert end_of(sock) == "closed"
        assert time.monotonic() - began >= 0.15

    def test_removing_it_closes_at_once(self, link: Any, connect: Any, client: Any) -> None:
        address = link(lambda connection: connection.sendall(b"bye"))
        client.add_toxic("link", "t", "slow_close", "downstream", 1, {"delay": 600_000})
        sock = connect(address)
        assert recv_exactly(sock, 3) == b"bye"
        assert silent_for(sock, 0.2)
        client.remove_toxic("link", "t")
        assert end_of(sock) == "closed"


class TestTimeout:
    @pytest.mark.parametrize("stream", ["upstream", "downstream"])
    def test_drops_data_keeps_the_connection_and_closes_it_when_removed(
        self, link: Any, connect: Any, client: Any, upstream: Any, stream: str
    ) -> None:
        heard: list[bytes] = []
        arrived = threading.Event()

        def note_and_echo(connection: socket.socket) -> None:
            while data := connection.recv(65536):
                heard.append(data)
                arrived.set()
                connection.sendall(data)

        sock = connect(link(note_and_echo))
        assert ask(sock, b"before") == b"before"
        client.add_toxic("link", "t", "timeout", stream, 1, {"timeout": 0})
        arrived.clear()
        sock.sendall(b"lost")
        assert silent_for(sock, 0.3)
        # Upstream the request is lost, downstream only the reply.
        assert arrived.is_set() == (stream == "downstream")
        client.remove_toxic("link", "t")
        assert end_of(sock) == "closed"
        assert ask(connect(client.listen("link")), b"after") == b"after"

    def test_closes_after_its_time(self, link: Any, connect: Any, client: Any) -> None:
        address = link()
        client.add_toxic("link", "t", "timeout", "upstream", 1, {"timeout": 150})
        sock = connect(address)
        began = time.monotonic()
        sock.sendall(b"x")
        assert end_of(sock) == "closed"
        assert time.monotonic() - began >= 0.14

    def test_connections_of_both_directions_close_when_both_are_removed(
        self, link: Any, connect: Any, client: Any
    ) -> None:
        address = link()
        old = connect(address)
        assert ask(old, b"x") == b"x"
        for stream in ("upstream", "downstream"):
            client.add_toxic("link", stream, "timeout", stream, 1, {})
        new = connect(address)
        new.sendall(b"x")
        assert silent_for(new, 0.2)
        for stream in ("upstream", "downstream"):
            client.remove_toxic("link", stream)
        assert [end_of(old), end_of(new)] == ["closed", "closed"]
        assert ask(connect(address), b"y") == b"y"

    def test_reset_closes_them_too(self, link: Any, connect: Any, client: Any) -> None:
        sock = connect(link())
        client.add_toxic("link", "t", "timeout", "upstream", 1, {})
        sock.sendall(b"lost")
        assert silent_for(sock, 0.2)
        client.reset()
        assert end_of(sock) == "closed"

    def test_the_end_of_the_client_still_reaches_the_server(self, link: Any, connect: Any, client: Any) -> None:
        ended = threading.Event()

        def until_end(connection: socket.socket) -> None:
            assert connection.recv(1) == b""
            ended.set()

        sock = connect(link(until_end))
        client.add_toxic("link", "t", "timeout", "upstream", 1, {})
        sock.sendall(b"lost")
        sock.close()
        assert ended.wait(20)


class TestResetPeer:
    @pytest.mark.parametrize("existing", [True, False])
    def test_resets_when_data_comes(self, link: Any, connect: Any, client: Any, existing: bool) -> None:
        heard: list[bytes] = []
        ended = threading.Event()

        def listen(connection: socket.socket) -> None:
            try:
                while data := connection.recv(100):
                    heard.append(data)
            except ConnectionResetError:
                heard.append(b"RST")
            ended.set()

        sock = connect(link(listen))
        if existing:
            sock.sendall(b"fine")
            time.sleep(0.1)
        client.add_toxic("link", "t", "reset_peer", "upstream", 1, {"timeout": 0})
        if not existing:
            sock.close()
            assert ended.wait(20)
            ended.clear()
            heard.clear()
            sock = connect(client.listen("link"))
        sock.sendall(b"not delivered")
        assert end_of(sock) == "reset"
        assert ended.wait(20)
        assert heard == ([b"fine", b"RST"] if existing else [b"RST"])

    def test_waits_its_time(self, link: Any, connect: Any, client: Any) -> None:
        sock = connect(link())
        client.add_toxic("link", "t", "reset_peer", "downstream", 1, {"timeout": 150})
        began = time.monotonic()
        sock.sendall(b"x")
        assert end_of(sock) == "reset"
        assert time.monotonic() - began >= 0.14


class TestSlicer:
    def test_bytes_are_the_same_and_come_in_pieces(self, link: Any, connect: Any, client: Any) -> None:
        address = link()
        client.add_toxic(
            "link", "t", "slicer", "downstream", 1, {"average_size": 10, "size_variation": 4, "delay": 2000}
        )
        sock = connect(address)
        sock.sendall(bytes(range(200)))
        pieces = []
        while sum(map(len, pieces)) < 200:
            pieces.append(sock.recv(200))
        assert b"".join(pieces) == bytes(range(200))
        assert len(pieces) > 3

    @given(st.integers(0, 5000), st.integers(0, 300), st.integers(0, 400))
    def test_pieces_make_up_the_whole(self, total: int, average: int, variation: int) -> None:
        toxic, left, pieces = Slicer(average_size=average, size_variation=variation), total, []
        while left:
            pieces.append(toxic.size(left))
            left -= pieces[-1]
            assert 1 <= pieces[-1] <= (average + variation if average else total)

    def test_sizes(self) -> None:
        toxic = Slicer(average_size=10, size_variation=3)
        assert {toxic.size(1000) for _ in range(2000)} == set(range(7, 14))
        assert toxic.size(13) == 13
        assert toxic.size(0) == 0
        assert Slicer().size(77) == 77
        assert all(Slicer(average_size=1, size_variation=9).size(100) >= 1 for _ in range(200))

    def test_removing_it_sends_the_rest(self, link: Any, connect: Any, client: Any) -> None:
        address = link()
        client.add_toxic("link", "t", "slicer", "upstream", 1, {"average_size": 1, "delay": 60_000_000})
        sock = connect(address)
        sock.sendall(b"abcdef")
        assert recv_exactly(sock, 1) == b"a"
        client.remove_toxic("link", "t")
        assert recv_exactly(sock, 5) == b"bcdef"


class TestLimitData:
    def test_passes_so_many_bytes_and_closes(self, link: Any, connect: Any, client: Any) -> None:
        address = link(lambda connection: connection.sendall(b"0123456789") or connection.recv(1))
        client.add_toxic("link", "t", "limit_data", "downstream", 1, {"bytes": 4})
        sock = connect(address)
        assert recv_exactly(sock, 4) == b"0123"
        assert end_of(sock) == "closed"

    def test_counts_over_several_messages_and_through_an_update(self, link: Any, connect: Any, client: Any) -> None:
        heard: list[bytes] = []
        ended = threading.Event()

        def note_and_echo(connection: socket.socket) -> None:
            try:
                while data := connection.recv(100):
                    heard.append(data)
                    connection.sendall(data)
            finally:  # the last echo may meet a closed socket
                ended.set()

        sock = connect(link(note_and_echo))
        assert ask(sock, b"not counted;") == b"not counted;"
        client.add_toxic("link", "t", "limit_data", "upstream", 1, {"bytes": 6})
        assert ask(sock, b"abc") == b"abc"
        client.update_toxic("link", "t", 1, {"bytes": 5})
        sock.sendall(b"def")
        assert end_of(sock) == "closed"
        assert ended.wait(20)
        assert b"".join(heard) == b"not counted;abcde"

    def test_zero_closes_at_the_first_byte(self, link: Any, connect: Any, client: Any) -> None:
        address = link()
        client.add_toxic("link", "t", "limit_data", "upstream", 1, {"bytes": 0})
        sock = connect(address)
        sock.sendall(b"x")
        assert end_of(sock) == "closed"


def test_toxicity_zero_spares_and_one_hits_every_connection(link: Any, connect: Any, client: Any) -> None:
    address = link()
    client.add_toxic("link", "t", "timeout", "upstream", 0, {})
    spared = [connect(address) for _ in range(10)]
    assert [ask(sock, b"x") for sock in spared] == [b"x"] * 10
    client.update_toxic("link", "t", 1, {})
    hit = [*spared, connect(address)]
    for sock in hit:
        sock.sendall(b"y")
    assert all(silent_for(sock, 0.05) for sock in hit)


def test_toxicity_is_drawn_for_each_connection(link: Any, connect: Any, client: Any) -> None:
    address = link()
    client.add_toxic("link", "t", "limit_data", "upstream", 0.5, {"bytes": 0})
    ends = []
    for _ in range(60):
        sock = connect(address)
        sock.sendall(b"x")
        try:
            ends.append(sock.recv(1))
        except ConnectionResetError:
            ends.append(b"")
    assert {b"x", b""} == set(ends)  # all alike: once in 2^59


def test_removing_a_timeout_spares_connections_it_did_not_act_on(link: Any, connect: Any, client: Any) -> None:
    sock = connect(link())
    client.add_toxic("link", "t", "timeout", "upstream", 0, {})
    assert ask(sock, b"x") == b"x"
    client.remove_toxic("link", "t")
    assert ask(sock, b"y") == b"y"


def test_what_a_toxic_let_through_passes_the_toxics_after_it(link: Any, connect: Any, client: Any) -> None:
    address = link(lambda connection: connection.sendall(b"0123456789") or connection.recv(1))
    client.add_toxic("link", "limit", "limit_data", "downstream", 1, {"bytes": 5})
    client.add_toxic("link", "late", "latency", "downstream", 1, {"latency": 100})
    client.add_toxic("link", "sliced", "slicer", "downstream", 1, {"average_size": 2, "delay": 100})
    sock = connect(address)
    assert recv_exactly(sock, 5) == b"01234"
    assert end_of(sock) == "closed"


def test_removing_one_of_several_keeps_the_others_and_the_data(link: Any, connect: Any, client: Any) -> None:
    sock = connect(link())
    client.add_toxic("link", "a", "latency", "upstream", 1, {"latency": 1})
    client.add_toxic("link", "b", "bandwidth", "upstream", 1, {"rate": 0})
    client.add_toxic("link", "c", "latency", "upstream", 1, {"latency": 1})
    sock.sendall(b"through all three")
    assert silent_for(sock, 0.2)
    client.remove_toxic("link", "b")
    assert recv_exactly(sock, 17) == b"through all three"
    assert list(client.toxics("link")) == ["a", "c"]
    assert ask(sock, b"again") == b"again"


def test_toxics_come_and_go_under_traffic_without_losing_a_byte(link: Any, connect: Any, client: Any) -> None:
    sock = connect(link())
    total = 3_000_000
    data = bytes(i * 7 % 251 for i in range(total))
    sender = threading.Thread(target=sock.sendall, args=(data,))
    sender.start()
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(recv_exactly(sock, total)))
    reader.start()
    for _ in range(10):
        for stream in ("upstream", "downstream"):
            client.add_toxic("link", f"l-{stream}", "latency", stream, 1, {"latency": 3, "jitter": 3})
            client.add_toxic("link", f"s-{stream}", "slicer", stream, 1, {"average_size": 5000, "delay": 10})
            client.add_toxic("link", f"b-{stream}", "bandwidth", stream, 1, {"rate": 5000})
        for stream in ("upstream", "downstream"):
            for kind in "slb":
                client.remove_toxic("link", f"{kind}-{stream}")
    sender.join(20)
    reader.join(20)
    assert got == [data]
