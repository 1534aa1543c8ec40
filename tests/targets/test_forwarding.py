"""A conversation of requests and answers: what is passed on byte for byte, what is refused, and how it ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from targets.brokerage.forwarding import HEAD_LIMIT, Message, converse, pass_on, refusal
from targets.brokerage.serving import BODY_LIMIT
from targets.http_async import Connections, Reply

from .ports import here
from .servers import always, answer, listening

FINE = answer(b"{}")


async def talk(
    sent: bytes, serve: Callable[[Message], Reply] | None = None, over: Callable[[], bool] = lambda: False
) -> tuple[bytes, list[Message]]:
    """All that is answered to these bytes until the connection ends, and the requests that were understood."""
    seen: list[Message] = []

    async def serving(message: Message) -> Reply:
        seen.append(message)
        return serve(message) if serve else Reply(200, b"{}", FINE[:-2])

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await converse(reader, writer, serving, over)

    server = await asyncio.start_server(accepted, "127.0.0.1", 0, limit=HEAD_LIMIT)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        writer.write(sent)
        writer.write_eof()
        said = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        await writer.wait_closed()
    return said, seen


def get(path: str = "/x", head: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: h\r\n{head}\r\n".encode()


def test_requests_on_one_connection_are_answered_in_turn() -> None:
    body = b'{"a": 1}'
    post = f"POST /y HTTP/1.1\r\nContent-Length: {len(body)}\r\nX-Own: kept as it is\r\n\r\n".encode() + body
    said, seen = asyncio.run(talk(get("/1") + post + get("/2")))
    assert [(each.method, each.path) for each in seen] == [("GET", "/1"), ("POST", "/y"), ("GET", "/2")]
    assert seen[1].raw == post
    assert seen[1].fields["x-own"] == "kept as it is"
    assert said == FINE * 3


@pytest.mark.parametrize(
    ("sent", "status", "says"),
    [
        (b"nonsense\r\n\r\n", 400, "no request"),
        (b"GET x HTTP/1.1\r\n\r\n", 400, "no request"),
        (b"GET /x HTTP/2\r\n\r\n", 400, "no request"),
        (get(head="no colon\r\n"), 400, "no name"),
        (get(head="Spaced : x\r\n"), 400, "no name"),
        (get(head="Transfer-Encoding: chunked\r\n"), 411, "Content-Length"),
        (get(head="Content-Length: 1, 2\r\n"), 400, "different"),
        (get(head="Content-Length: -1\r\n"), 400, "-1"),
        (get(head=f"Content-Length: {BODY_LIMIT + 1}\r\n"), 413, "longer than"),
        (get(head=f"Long: {'x' * HEAD_LIMIT}\r\n"), 431, "longer than"),
    ],
)
def test_what_is_not_understood_is_refused_and_goes_nowhere(sent: bytes, status: int, says: str) -> None:
    said, seen = asyncio.run(talk(sent + get()))
    assert seen == []
    assert said.startswith(f"HTTP/1.1 {status} ".encode())
    assert says in json.loads(said.partition(b"\r\n\r\n")[2])["says"]
    assert b"\r\nConnection: close\r\n" in said


def test_who_ends_within_a_request_gets_no_answer() -> None:
    assert asyncio.run(talk(b"POST /x HTTP/1.1\r\nContent-Length: 5\r\n\r\nab")) == (b"", [])
    assert asyncio.run(talk(b"")) == (b"", [])


@pytest.mark.parametrize("head", ["Connection: close\r\n", "connection: Close\r\n"])
def test_a_request_that_says_so_is_the_last(head: str) -> None:
    said, seen = asyncio.run(talk(get(head=head) + get("/2")))
    assert len(seen) == 1
    assert b"Connection: close" in said


def test_an_answer_that_says_so_is_the_last() -> None:
    closing = answer(b"{}", head="Connection: close\r\n")
    said, seen = asyncio.run(talk(get() + get("/2"), lambda _: Reply(200, b"{}", closing[:-2])))
    assert len(seen) == 1
    assert said == closing


def test_once_it_is_over_the_answer_at_hand_is_the_last() -> None:
    said, seen = asyncio.run(talk(get() + get("/2"), over=lambda: True))
    assert len(seen) == 1
    assert said == b"HTTP/1.1 200 x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


MESSAGE = Message("GET", "/x", {}, get(), b"", True)


def test_the_answer_of_who_is_next_comes_as_it_is() -> None:
    async def scenario() -> Reply:
        async with listening(always(answer(b"hello", head="X-Own: yes\r\n"))) as port:
            upstream = Connections(here(port))
            reply = await pass_on(upstream, MESSAGE, 5.0)
            upstream.close()
        return reply

    reply = asyncio.run(scenario())
    assert reply.head + reply.body == answer(b"hello", head="X-Own: yes\r\n")


def test_what_could_not_be_sent_is_503_and_what_was_sent_never_is() -> None:
    async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()

    async def scenario() -> tuple[Reply, Reply]:
        async with listening(dies) as port:
            upstream = Connections(here(port))
            sent = await pass_on(upstream, MESSAGE, 5.0)
        return sent, await pass_on(upstream, MESSAGE, 5.0)

    sent, refused = asyncio.run(scenario())
    assert (sent.status, json.loads(sent.body)["error"]) == (504, "STATE_UNKNOWN")
    assert (refused.status, json.loads(refused.body)["error"]) == (503, "NOT_FORWARDED")


def test_an_answer_of_our_own_can_be_read() -> None:
    reply = refusal(429, "RATE_LIMITED", "later", **{"Retry-After": "1"})
    assert reply.head.startswith(b"HTTP/1.1 429 Too Many Requests\r\n")
    assert b"\r\nRetry-After: 1\r\n" in reply.head
    assert json.loads(reply.body) == {"error": "RATE_LIMITED", "says": "later"}
