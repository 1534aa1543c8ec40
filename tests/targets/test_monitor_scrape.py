"""Exposition in, samples out."""

from __future__ import annotations

import asyncio
import math

import pytest
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from targets.brokerage.monitor.evaluate import Sample
from targets.brokerage.monitor.schedule import next_turn
from targets.brokerage.monitor.scrape import Job, parse_samples, scrape_all

from .ports import here
from .servers import Handler, always, answer, listening

TARGET = {"job": "api", "instance": "i"}


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


@pytest.mark.parametrize(
    ("turn", "since_start", "following"), [(0, 10, 1), (0, 249, 1), (0, 251, 1), (3, 1_100, 4), (3, 5_010, 20)]
)
def test_turns_never_drift_and_skip_what_was_slept_through(turn: int, since_start: int, following: int) -> None:
    assert next_turn(turn, since_start, 250) == following
