from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from targets.brokerage.client import Client
from targets.http_async import NotSent, Unanswered

from .ports import here

GOOD = b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"n": 123}'


def served(answers: list[bytes], play: Callable[[Client], Any]) -> tuple[Any, int]:
    """Answer request after request with ``answers`` (an empty one closes); the result and the connections opened."""
    opened = 0
    left = iter(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        while await reader.read(65_536):
            answer = next(left)
            writer.write(answer)
            if answer != GOOD:
                break
        writer.close()

    async def whole() -> Any:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        client = Client(here(server.sockets[0].getsockname()[1]), "token")
        try:
            return await play(client)
        finally:
            client.close()
            server.close()
            await asyncio.sleep(0.05)

    return asyncio.run(whole()), opened


def ask(client: Client, within_s: float = 5.0) -> Any:
    return client.ask("POST", "/x", {"a": 1}, within_s)


def test_connections_are_kept() -> None:
    async def twice(client: Client) -> list[Any]:
        return [await ask(client), await ask(client)]

    answers, opened = served([GOOD, GOOD], twice)
    assert answers == [(200, {"n": 123})] * 2
    assert opened == 1


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        GOOD[:-3],
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
    ],
)
def test_an_answer_that_is_not_whole_leaves_it_open_whether_the_request_was_carried_out(broken: bytes) -> None:
    async def once(client: Client) -> None:
        with pytest.raises(Unanswered):
            await ask(client)

    served([broken], once)


def test_nobody_there_means_not_sent() -> None:
    async def once() -> None:
        server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        with pytest.raises(NotSent):
            await ask(Client(here(port), "token"))

    asyncio.run(once())


def test_a_connection_the_server_has_closed_is_not_used_again() -> None:
    async def twice(client: Client) -> Any:
        with pytest.raises(Unanswered):
            await ask(client)
        first = await ask(client)
        await asyncio.sleep(0.05)
        return first

    answer, opened = served([b"HTTP/1.1 200", GOOD], twice)
    assert answer == (200, {"n": 123})
    assert opened == 2


def test_silence_ends_by_the_time_out() -> None:
    async def once() -> None:
        done = asyncio.Event()

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await done.wait()
            writer.close()

        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        with pytest.raises(Unanswered, match="TimeoutError"):
            await ask(Client(here(server.sockets[0].getsockname()[1]), "token"), 0.1)
        done.set()
        server.close()
        await asyncio.sleep(0.05)

    asyncio.run(once())
