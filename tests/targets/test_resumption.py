"""Customers who resume their TLS session, at a real edge that gives tickets, before and after a chain has ended."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadprofiles.connection import Connection, Server, failure_of
from loadprofiles.profiles import Patience
from loadprofiles.samples import OutcomeCode
from targets.brokerage.certification import put
from targets.brokerage.config import EdgeConfig
from targets.brokerage.edge.certificates import authority
from targets.brokerage.edge.short_lived_chain import ShortLivedChain
from targets.brokerage.vendor.authority import FOLDER, load

from .front import Front, front, until

APP, WWW = "app.kunren.example", "www.kunren.example"


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Front]:
    with front(tmp_path, edge=EdgeConfig(session_tickets=2)) as found:
        yield found


def customer(made: Front, name: str = APP, *, resumes: bool) -> Connection:
    server = Server(*made.config.at("edge"), True, authority(made.folder), name, resumes)
    return Connection(server, Patience())


def visits(connection: Connection) -> int | OutcomeCode:
    """A request over a connection that is made for it: the status, or how it failed."""
    try:
        return connection.ask("GET", "/balances", b"", {})[0]
    except OSError as error:
        return failure_of(error)
    finally:
        connection.close()


def resumed(made: Front, name: str = APP) -> float:
    return made.metrics("edge")[f'edge_name_resumed_total{{name="{name}"}}']


def test_who_resumes_is_shown_nothing_and_counted(made: Front) -> None:
    again, anew = customer(made, resumes=True), customer(made, resumes=False)
    assert [visits(each) for each in (again, anew) for _ in range(3)] == [200] * 6
    assert resumed(made) == 2
    other = customer(made, WWW, resumes=True)
    assert [visits(other), visits(other)] == [200, 200]
    assert resumed(made, WWW) == 1


def test_a_session_outlasts_the_chain_it_was_begun_with_and_the_renewal(made: Front) -> None:
    ShortLivedChain(APP, 1.5).plant(made.config)
    again, anew = customer(made, resumes=True), customer(made, resumes=False)
    assert [visits(again), visits(anew)] == [200, 200]
    until(lambda: visits(anew) == OutcomeCode.REFUSED)
    assert [visits(again) for _ in range(3)] == [200] * 3
    put(made.folder, APP, load(made.folder / FOLDER).issue(APP))
    made.done("edge", "reload")
    before = resumed(made)
    assert [visits(again), visits(anew)] == [200, 200]
    assert resumed(made) == before + 1


def test_a_restarted_edge_knows_no_session_and_then_the_chain_is_looked_at(made: Front) -> None:
    ShortLivedChain(APP, 1.5).plant(made.config)
    again = customer(made, resumes=True)
    assert visits(again) == 200
    time.sleep(1.5)
    assert visits(again) == 200
    made.kill("edge")
    made.start("edge")
    assert [visits(again), visits(again)] == [OutcomeCode.REFUSED] * 2


def test_a_session_is_kept_where_the_edge_ends_the_connection(tmp_path: Path) -> None:
    with front(tmp_path, edge=EdgeConfig(session_tickets=2, max_connection_age_s=0.0001)) as made:
        again = customer(made, resumes=True)
        for _ in range(4):
            assert again.ask("GET", "/balances", b"", {})[0] == 200
        assert resumed(made) == 3


def test_without_tickets_nobody_resumes(tmp_path: Path) -> None:
    with front(tmp_path) as made:
        again = customer(made, resumes=True)
        assert [visits(again) for _ in range(3)] == [200] * 3
        assert resumed(made) == 0
