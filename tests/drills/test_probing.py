"""What a probe reads of outages: on samples in which every instant is known, and against servers that misbehave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from drills.commands.app import app
from drills.errors import Refused
from drills.probing.address import address, context
from drills.probing.meter import Meter, Plan, carry_out
from drills.probing.outages import Limits, Outage, latencies, lateness_p99, outages
from drills.probing.report import report
from drills.probing.samples import Ended, Samples, made
from drills.record.history import NS
from reports.probe import outage_line, strip

STEP, SLOW, USUAL = NS // 100, NS, 2_000_000
LIMITS = Limits(SLOW, STEP)


def served(n: int = 1_000) -> Samples:
    """A hundred a second, each answered in 2 ms."""
    samples = made(n)
    samples.due[:] = np.arange(n) * STEP
    samples.sent[:] = samples.due + 100_000
    samples.done[:] = samples.sent + USUAL
    samples.how[:] = Ended.ANSWERED
    return samples


def refused(samples: Samples, start: int, end: int) -> None:
    mine = (samples.sent >= start) & (samples.sent < end)
    samples.how[mine] = Ended.REFUSED
    samples.done[mine] = samples.sent[mine] + 100_000


def stalled(samples: Samples, start: int, end: int, patience: int = 2 * NS) -> None:
    """What comes between the two is answered at the end, or given up before."""
    mine = (samples.sent + USUAL > start) & (samples.sent < end)
    samples.done[mine] = np.minimum(end + 50_000, samples.sent[mine] + patience)
    samples.how[mine & (samples.sent + patience < end)] = Ended.TIMEOUT


def the_one(samples: Samples) -> Outage:
    (found,) = outages(samples, LIMITS)
    return found


def holds(found: Outage, start: int, end: int) -> bool:
    assert found.end is not None
    assert found.lasted is not None
    inside = found.start.earliest <= start <= found.start.latest and found.end.earliest <= end <= found.end.latest
    return inside and found.lasted.earliest <= end - start <= found.lasted.latest


def told_closely(found: Outage, kind: str, start: int, lasts: int) -> None:
    """A whole outage of that kind, its length to within the distance of two requests at either end."""
    assert holds(found, start, start + lasts)
    assert found.kind == kind
    assert not found.partial
    assert found.lasted is not None
    assert found.lasted.latest - found.lasted.earliest <= 3 * STEP + USUAL


def test_without_a_bad_request_there_is_no_outage() -> None:
    assert outages(served(), LIMITS) == []
    assert outages(made(0), LIMITS) == []


@settings(max_examples=200, deadline=None)
@given(start=st.integers(NS, 5 * NS), lasts=st.integers(2 * STEP, 4 * NS))
def test_a_refusal_is_told_to_within_the_distance_of_two_requests(start: int, lasts: int) -> None:
    samples = served()
    refused(samples, start, start + lasts)
    told_closely(the_one(samples), "refused", start, lasts)


@settings(max_examples=200, deadline=None)
@given(start=st.integers(NS, 3 * NS), lasts=st.integers(SLOW + 3 * STEP, 5 * NS))
def test_a_stall_is_not_short_by_the_limit(start: int, lasts: int) -> None:
    samples = served()
    stalled(samples, start, start + lasts)
    told_closely(the_one(samples), "stall", start, lasts)


def test_what_is_slow_is_out_for_as_long_as_slow_requests_come_and_not_until_the_last_is_answered() -> None:
    samples = served()
    mine = (samples.sent >= 2 * NS) & (samples.sent < 6 * NS)
    samples.done[mine] = samples.sent[mine] + 3 * NS // 2
    found = the_one(samples)
    assert holds(found, 2 * NS, 6 * NS)
    assert found.kind == "slow"
    assert found.lost == 4 * NS


def test_a_stall_shorter_than_the_limit_is_none() -> None:
    samples = served()
    stalled(samples, 2 * NS, 2 * NS + SLOW // 2)
    assert outages(samples, LIMITS) == []


def test_two_are_told_apart_and_one_good_request_between_is_enough_where_all_others_are_bad() -> None:
    samples = served()
    refused(samples, 2 * NS, 3 * NS)
    refused(samples, 3 * NS + 10 * STEP, 4 * NS)
    assert [each.bad for each in outages(samples, LIMITS)] == [100, 90]


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
def test_a_partial_one_is_one_outage_and_its_loss_is_the_bad_ones(share: float) -> None:
    rng, further = np.random.default_rng(1), 0
    for _ in range(20):
        samples = served()
        mine = (samples.sent >= 2 * NS) & (samples.sent < 8 * NS) & (rng.random(len(samples)) < share)
        samples.how[mine] = Ended.STATUS
        found = the_one(samples)
        assert found.partial
        assert (found.bad, found.lost) == (mine.sum(), mine.sum() * STEP)
        assert found.end is not None
        further += (found.start.earliest > 2 * NS) + (found.end.latest < 8 * NS)
    assert further <= 2  # of 40, each with a probability of 0.5 %


def test_from_the_first_request_and_to_the_last() -> None:
    samples = served()
    refused(samples, 0, 2 * NS)
    refused(samples, 9 * NS, 10 * NS)
    first, last = outages(samples, LIMITS)
    assert first.at_once
    assert not last.at_once
    assert last.end is None
    assert last.lasted is None
    refused(samples, 0, 10 * NS)
    whole = the_one(samples)
    assert whole.at_once
    assert whole.end is None


def test_one_bad_request_is_an_outage() -> None:
    samples = served()
    samples.how[500] = Ended.RESET
    found = the_one(samples)
    assert (found.bad, found.of, found.lost, found.kind) == (1, 1, STEP, "reset")


def test_lateness_and_latencies_count_from_when_a_request_was_due() -> None:
    samples = served(100)
    samples.sent[:] = samples.due + 5_000_000
    samples.done[:] = samples.sent + USUAL
    assert lateness_p99(samples) == 5_000_000
    assert latencies(samples) == (7_000_000, 7_000_000, 7_000_000)
    samples.how[:] = Ended.HELD
    assert lateness_p99(samples) == 0
    assert latencies(samples) is None


@pytest.mark.parametrize(
    "url",
    ["ftp://x/", "x", "http://", "http://u:p@x/", "http://x:99999/", "http://[::1/", "http://x/a b", "http://x/é"],
)
def test_what_cannot_be_asked_for_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        address(url)


def test_an_address_says_what_goes_on_the_wire() -> None:
    found = address("https://[::1]:8443/a?b=c#d")
    assert (found.host, found.port, found.tls) == ("::1", 8443, True)
    assert found.request.startswith(b"GET /a?b=c HTTP/1.1\r\nHost: [::1]:8443\r\n")
    with pytest.raises(Refused, match="may change something"):
        address("http://x/", "POST")
    with pytest.raises(Refused, match="no certificates"):
        context(Path(__file__), verify=True)


# -- against servers --------------------------------------------------------------------------------------------------

Answer = Callable[[asyncio.StreamWriter, int], None]


def measured(answer: Answer | None, n: int = 20, **more: object) -> Meter:
    """So many requests to a server that answers each with ``answer`` (writer, number); None: nobody listens."""

    async def whole() -> Meter:
        asked = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal asked
            try:
                while await reader.readuntil(b"\r\n\r\n"):
                    asked += 1
                    assert answer is not None
                    answer(writer, asked)
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        if answer is None:
            server.close()
            await server.wait_closed()
        method = str(more.pop("method", "GET"))
        plan = Plan(200.0, n * NS // 200, NS // 4, **more)  # type: ignore[arg-type]
        meter = Meter(address(f"http://127.0.0.1:{port}/", method), plan, None, lambda _: None)
        await meter.run()
        server.close()
        return meter

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(whole())


def say(text: str, *, close: bool = False) -> Answer:
    def answer(writer: asyncio.StreamWriter, _: int) -> None:
        writer.write(text.encode())
        if close:
            writer.close()

    return answer


GOOD = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.parametrize(
    ("answer", "how"),
    [
        (say(GOOD), Ended.ANSWERED),
        (say(f"HTTP/1.1 103 Early Hints\r\n\r\n{GOOD}"), Ended.ANSWERED),
        (say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"), Ended.ANSWERED),
        (say("HTTP/1.0 200 OK\r\n\r\nuntil the end", close=True), Ended.ANSWERED),
        (say(GOOD, close=True), Ended.ANSWERED),
        (say("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"), Ended.STATUS),
        (say("HTTP/1.1 302 There\r\nContent-Length: 0\r\n\r\n"), Ended.ANSWERED),
        (say("SSH-2.0-OpenSSH\r\n\r\n"), Ended.GARBLED),
        (say("", close=True), Ended.RESET),
        (say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", close=True), Ended.RESET),
        (say(""), Ended.TIMEOUT),
        (None, Ended.REFUSED),
    ],
)
def test_each_end_is_told_from_the_others(answer: Answer | None, how: Ended) -> None:
    meter = measured(answer)
    assert {Ended(each) for each in meter.taken().how} == {how}
    assert len(meter.taken()) == 20
    assert (how == Ended.ANSWERED) == (not meter.seen.words)


def test_a_head_alone_is_a_whole_answer_where_only_that_was_asked_for() -> None:
    meter = measured(say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), method="HEAD")
    assert set(meter.taken().how) == {Ended.ANSWERED}


def test_a_connection_that_was_closed_while_it_was_idle_costs_nobody_a_request() -> None:
    served = set[asyncio.StreamWriter]()

    def answer(writer: asyncio.StreamWriter, _: int) -> None:
        if writer in served:
            writer.close()  # as a server does that has kept it for long enough
        else:
            served.add(writer)
            writer.write(GOOD.encode())

    meter = measured(answer, n=10)
    assert set(meter.taken().how) == {Ended.ANSWERED}
    assert meter.seen.sent_again > 0


def test_no_more_than_allowed_wait_at_once_and_the_others_are_counted_as_not_served() -> None:
    meter = measured(say(""), n=40, connections=3)
    ended = [Ended(each) for each in meter.taken().how]
    assert ended.count(Ended.TIMEOUT) == 3
    assert ended.count(Ended.HELD) == 37
    assert report(meter, NS).outages[0].bad == 40


def test_the_report_says_what_was_found() -> None:
    meter = measured(None)
    found = report(meter, NS)
    assert found.ended == {"refused": 20}
    (outage,) = found.outages
    assert outage.from_the_first
    assert outage.end is None
    assert outage.duration[1] is None
    line = outage_line(outage, found)
    assert line.startswith("before the first request → not over, lasted at least")
    assert "refused (the connection was refused)" in line
    assert strip(meter.taken(), NS, 10) == "░" * 10


def test_a_name_that_cannot_be_resolved_is_refused() -> None:
    meter = Meter(address("http://nowhere.invalid/"), Plan(10, NS, NS), None, lambda _: None)
    with pytest.raises(Refused, match="cannot be resolved"):
        carry_out(meter)
    with pytest.raises(Refused, match="measure for less time"):
        Meter(address("http://x/"), Plan(5_000, 24 * 3600 * NS, NS), None, lambda _: None)


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["ftp://x"], "no address"),
        (["http://127.0.0.1:1/", "--for", "3"], "--for '3' is no time"),
        (["http://127.0.0.1:1/", "--rate", "0"], "--rate 0"),
        (["http://127.0.0.1:1/", "--expect", "ok"], "no status"),
        (["http://127.0.0.1:1/", "--insecure"], "for https"),
        (["http://127.0.0.1:1/", "--json", "/nowhere/x"], "cannot write"),
    ],
)
def test_bad_usage_is_one_clear_line(argv: list[str], says: str) -> None:
    done = CliRunner().invoke(app, ["probe", *argv])
    assert isinstance(done.exception, Refused)
    assert says in str(done.exception)


def test_the_command_tells_people_or_programs() -> None:
    argv = ["probe", "http://127.0.0.1:1/", "--rate", "50", "--for", "200ms"]
    done = CliRunner().invoke(app, [*argv, "--json", "-"])
    assert json.loads(done.stdout)["schema"] == "kunren.probe/1"
    assert done.exit_code in (1, 2)  # 2 where this machine is too busy to judge
    told = CliRunner().invoke(app, argv)
    assert "outage 1: before the first request" in told.stdout
