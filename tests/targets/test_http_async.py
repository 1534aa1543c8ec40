"""Kept connections in an event loop: what a failure says of the request, and when it is sent again."""

from __future__ import annotations

import asyncio

import pytest

from targets.http_async import LONGEST_BODY, Connections, NotSent, Unanswered

from .ports import here
from .servers import always, answer, listening


def test_a_server_that_closed_an_idle_connection_is_asked_again_on_a_new_one() -> None:
    async def scenario() -> list[int]:
        async with listening(always(answer(b"{}"), times=1)) as port:
            connections = Connections(here(port), repeat=True)
            found = [(await connections.ask("GET", "/", None, 5.0)).status for _ in range(3)]
            connections.close()
        return found

    assert asyncio.run(scenario()) == [200, 200, 200]


def test_a_late_reply_is_not_taken_for_the_next_one() -> None:
    turn = 0

    async def late_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal turn
        turn += 1
        if turn == 1:
            await asyncio.sleep(0.2)
        await always(answer(str(turn).encode()))(reader, writer)

    async def scenario() -> bytes:
        async with listening(late_once) as port:
            connections = Connections(here(port), repeat=True)
            with pytest.raises(Unanswered, match=r"^GET /: TimeoutError$"):
                await connections.ask("GET", "/", None, 0.05)
            reply = await connections.ask("GET", "/", None, 5.0)
            connections.close()
        return reply.body

    assert asyncio.run(scenario()) == b"2"


def test_what_must_not_come_twice_is_not_sent_again() -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await always(answer(b"{}"), times=1)(reader, writer)
        await reader.readline()  # received, and then it ends

    async def scenario() -> None:
        async with listening(once) as port:
            connections = Connections(here(port))
            assert (await connections.ask("POST", "/", b"{}", 5.0)).status == 200
            with pytest.raises(Unanswered, match=r"^POST /: "):
                await connections.ask("POST", "/", b"{}", 5.0)
            connections.close()

    asyncio.run(scenario())


def test_without_a_connection_nothing_was_sent_even_where_it_would_be_repeated() -> None:
    async def scenario() -> None:
        async with listening(always(b"")) as port:
            pass
        with pytest.raises(NotSent, match=f"^no connection to 127.0.0.1:{port}: "):
            await Connections(here(port), repeat=True).ask("GET", "/", None, 1.0)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (b"HTTP/1.1 200 x\r\nContent-Length: 5\r\n\r\nabc", "3 bytes read"),
        (b"HTTP/1.1 200 x\r\n\r\n", "without Content-Length"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "not enough values"),
        (f"HTTP/1.1 200 x\r\nContent-Length: {LONGEST_BODY + 1}\r\n\r\n".encode(), "answer of 4000001 bytes"),
        (b"x" * 100_000, "limit"),
    ],
)
def test_an_answer_that_is_not_understood_is_none(reply: bytes, says: str) -> None:
    async def scenario() -> None:
        async with listening(always(reply, times=1)) as port:
            with pytest.raises(Unanswered, match=says):
                await Connections(here(port)).ask("GET", "/", None, 5.0)

    asyncio.run(scenario())


def test_own_headers_go_with_each_request_and_a_closing_answer_ends_the_connection() -> None:
    seen: list[bytes] = []

    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer(b"{}", head="Connection: close\r\n"))
        await reader.read()

    async def scenario() -> None:
        async with listening(closing) as port:
            connections = Connections(here(port), {"X-Ops-Token": "t"})
            for _ in range(2):
                await connections.ask("GET", "/x", None, 5.0)

    asyncio.run(scenario())
    assert len(seen) == 2
    assert all(b"X-Ops-Token: t\r\n" in head and b"Content-" not in head for head in seen)
