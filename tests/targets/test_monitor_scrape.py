"""Exposition in, samples out; and the connection it comes over."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from targets.brokerage.monitor.connection import Connection, WireError
from targets.brokerage.monitor.evaluate import Sample
from targets.brokerage.monitor.schedule import next_turn
from targets.brokerage.monitor.scrape import Job, parse_samples, scrape_all

from .ports import here

TARGET = {"job": "api", "instance": "i"}
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(handler: Handler) -> AsyncIterator[int]:
    served = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(asyncio.current_task())
        with contextlib.closing(writer):
            await handler(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
    await asyncio.gather(*served)  # they end when the client has closed
    await asyncio.sleep(0.01)  # and then the transports do


def answer(body: bytes, status: int = 200, head: str = "") -> bytes:
    return f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body


def always(reply: bytes, times: int = 1_000) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(times):
            if not await reader.readline():
                break
            while (await reader.readline()).strip():
                pass
            writer.write(reply)

    return handler


def test_only_wanted_metrics_are_read_with_the_jobs_labels() -> None:
    registry = CollectorRegistry()
    gauge = Gauge("age_seconds", 'a "help"\ntext', ["link", "job"], registry=registry)
    gauge.labels('A"\n\\', "own").set(1.5)
    Gauge("age_seconds_more", "x", registry=registry).set(2)
    text = generate_latest(registry).decode()
    assert parse_samples(text, {"age_seconds"}, TARGET) == [
        Sample("age_seconds", (("exported_job", "own"), ("instance", "i"), ("job", "api"), ("link", 'A"\n\\')), 1.5)
    ]


def test_special_values_and_empty_labels() -> None:
    found = parse_samples('m{a=""} NaN\nm{a="x"} +Inf\n', {"m"}, {})
    assert math.isnan(found[0].value)
    assert found[0].labels == ()
    assert found[1] == Sample("m", (("a", "x"),), math.inf)


def test_a_scrape_gives_up_and_the_samples() -> None:
    async def scenario() -> list[Sample]:
        async with listening(always(answer(b"m 3\nn 4\n"))) as port:
            job = Job("api", here(port), {"m"})
            for _ in range(3):
                found = await scrape_all([job], 5.0)
            job.close()
        return found

    assert [(s.metric, s.value, dict(s.labels)["job"]) for s in asyncio.run(scenario())] == [
        ("up", 1.0, "api"),
        ("m", 3.0, "api"),
    ]


async def _silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()  # until the other side gives up


@pytest.mark.parametrize(
    "handler",
    [
        _silence,
        always(b"", times=0),
        always(answer(b"m 3\n", status=500)),
        always(answer(b'm{a="} 3\n')),
        always(b"x\r\n\r\n"),
    ],
    ids=["silent", "hangs up", "500", "garbled exposition", "garbled reply"],
)
def test_whatever_goes_wrong_is_up_0_and_nothing_else(handler: Handler) -> None:
    async def scenario() -> list[Sample]:
        async with listening(handler) as port:
            job = Job("api", here(port), {"m"})
            found = await job.scrape(0.1)
            job.close()
        return found

    assert [(s.metric, s.value) for s in asyncio.run(scenario())] == [("up", 0.0)]


def test_a_closed_port_is_up_0() -> None:
    async def scenario() -> list[Sample]:
        async with listening(_silence) as port:
            pass
        return await Job("api", here(port), {"m"}).scrape(1.0)

    assert [(s.metric, s.value) for s in asyncio.run(scenario())] == [("up", 0.0)]


def test_a_server_that_closed_an_idle_connection_is_asked_again_on_a_new_one() -> None:
    async def scenario() -> list[int]:
        async with listening(always(answer(b"{}"), times=1)) as port:
            connection = Connection(here(port))
            found = [(await connection.get("/", 5.0)).status for _ in range(3)]
            connection.close()
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
            connection = Connection(here(port))
            with pytest.raises(WireError, match="no reply within"):
                await connection.get("/", 0.05)
            reply = await connection.get("/", 5.0)
            connection.close()
        return reply.body

    assert asyncio.run(scenario()) == b"2"


@pytest.mark.parametrize(
    ("turn", "since_start", "following"), [(0, 10, 1), (0, 249, 1), (0, 251, 1), (3, 1_100, 4), (3, 5_010, 20)]
)
def test_turns_never_drift_and_skip_what_was_slept_through(turn: int, since_start: int, following: int) -> None:
    assert next_turn(turn, since_start, 250) == following
