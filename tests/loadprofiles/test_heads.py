"""A length said twice is a length said once; two lengths are none."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadprofiles.heads import SingleLength
from targets.lengths import content_length

OK = b"HTTP/1.1 200 OK\r\n"
ONCE = OK + b"Content-Length: 2\r\nServer: x\r\n\r\nok"
TWICE = OK + b"Content-Length: 2\r\nServer: x\r\ncontent-length:2\r\n\r\nok"
LISTED = OK + b"Content-Length: 2, 2\r\nServer: x\r\n\r\nok"
DIFFER = OK + b"Content-Length: 2\r\nServer: x\r\nContent-Length: 3\r\n\r\nok"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


def passed(chunks: list[bytes]) -> bytes:
    single = SingleLength()
    return b"".join(single.pass_on(chunk) for chunk in chunks)


@st.composite
def cuts(draw: st.DrawFn, whole: bytes) -> list[bytes]:
    places = sorted(draw(st.sets(st.integers(0, len(whole)), max_size=8)))
    return [whole[begin:end] for begin, end in zip([0, *places], [*places, len(whole)], strict=True)]


@pytest.mark.parametrize("before", [b"", HINTS, HINTS + HINTS], ids=["final", "hints", "more-hints"])
@pytest.mark.parametrize("whole", [TWICE, LISTED, ONCE])
@given(data=st.data())
def test_however_it_arrives_the_length_is_said_once(before: bytes, whole: bytes, data: st.DataObject) -> None:
    assert passed(data.draw(cuts(before + whole))) == before + ONCE


@given(data=st.data(), whole=st.sampled_from([DIFFER, OK + b"\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n"]))
def test_what_differs_and_what_is_body_is_passed_as_it_is(data: st.DataObject, whole: bytes) -> None:
    assert passed(data.draw(cuts(whole))) == whole


@given(st.binary(max_size=200).filter(lambda raw: b"content-length" not in raw.lower()), st.data())
def test_other_bytes_are_not_touched(raw: bytes, data: st.DataObject) -> None:
    chunks = data.draw(cuts(raw + b"\r\n\r\n"))
    assert (raw + b"\r\n\r\n").startswith(passed(chunks))


def test_what_is_no_answer_reaches_the_parser_at_once() -> None:
    assert passed([b"\x15\x03\x01"]) == b"\x15\x03\x01"
    assert passed([b"SSH-2.0"]) == b"SSH-2.0"


# -- through the parser -----------------------------------------------------------------------------------------------

ASK = """
import json, sys
from loadprofiles.connection import Connection, Server, failure_of
from loadprofiles.profiles import Patience
connection = Connection(Server("127.0.0.1", int(sys.argv[1])), Patience(connect_s=5.0, total_s=5.0))
for path in sys.argv[2:]:
    try:
        status, body = connection.ask("GET", path, b"", {})
        print(json.dumps([path, status, body.decode()]))
    except Exception as error:
        print(json.dumps([path, 0, failure_of(error).name.lower()]))
"""


@contextmanager
def serving(answers: dict[str, bytes]) -> Iterator[int]:
    """A server on 127.0.0.1 that answers each path with these very bytes, on connections that are kept."""

    def talk(connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as requests:
            while line := requests.readline():
                while requests.readline().strip():
                    pass
                connection.sendall(answers[line.split()[1].decode()])

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def test_a_customer_takes_it() -> None:
    answers = {"/once": ONCE, "/twice": TWICE, "/listed": LISTED, "/hints": HINTS + TWICE, "/differ": DIFFER,
               "/again": TWICE}  # fmt: skip
    with serving(answers) as port:
        done = subprocess.run(
            [sys.executable, "-c", ASK, str(port), *answers], capture_output=True, text=True, timeout=60, check=True
        )
    found = {path: tuple(rest) for path, *rest in map(json.loads, done.stdout.splitlines())}
    served = (200, "ok")
    assert found == {
        "/once": served, "/twice": served, "/listed": served, "/hints": served, "/differ": (0, "error"),
        "/again": served,
    }  # fmt: skip


# -- the other readers ------------------------------------------------------------------------------------------------


def test_the_length_of_a_reply() -> None:
    assert content_length([("Content-Length", " 2")]) == 2
    assert content_length([("Server", "x"), ("Content-Length", "2"), ("content-length", "2 ")]) == 2
    assert content_length([("Content-Length", "2, 2")]) == 2


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ([], "without Content-Length"),
        (["2", "3"], "different Content-Lengths: 2, 3"),
        (["2, 3"], "different Content-Lengths"),
        (["-1"], "Content-Length '-1'"),
        (["²"], "Content-Length '²'"),
    ],
)
def test_no_length_can_be_told(said: list[str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        content_length([("Content-Length", value) for value in said])
