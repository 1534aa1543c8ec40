"""A chain that ends soon, planted in a real edge by a real vendor: before, planted, felt, taken out, as before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from drills.domains.registry import DOMAINS
from targets.brokerage import clients
from targets.brokerage.books import read_book
from targets.brokerage.certification import put
from targets.brokerage.config import VendorConfig
from targets.brokerage.edge import certificates, probe
from targets.brokerage.edge.short_lived_chain import ShortLivedChain
from targets.brokerage.vendor import authority

from .front import Front, front, until

APP = "app.kunren.example"
BOOK = DOMAINS.books["certificates"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with front(tmp_path_factory.mktemp("front"), vendor=VendorConfig(hotline_s=0.1)) as found:
        yield found


def left(made: Front) -> float:
    shown = certificates.in_handshake(probe.chain_served(made.config.at("edge"), 3, APP))
    return shown.seconds_left(certificates.now())


def rows(made: Front, kind: str) -> list[dict[str, object]]:
    return [row for row in read_book(made.config, "certificates") if row["kind"] == kind]


@pytest.mark.parametrize("part", ["leaf", "intermediate"])
def test_it_comes_is_felt_and_goes(made: Front, part: authority.Part) -> None:
    chain = ShortLivedChain(APP, 30, part)
    before = chain.look(made.config, wait=False)
    assert (before.there, before.felt) == (False, False)
    planted = chain.plant(made.config)
    assert planted.ok
    assert 0 < planted.data["seconds_left"] <= 30
    felt = chain.look(made.config, wait=True)
    assert (felt.there, felt.felt) == (True, True)
    assert chain.unplant(made.config).data == {"changed": True}
    after = chain.look(made.config, wait=False)
    assert (after.there, after.felt) == (False, False)
    assert chain.unplant(made.config).data == {"changed": False}
    assert left(made) > 86_400


def test_what_was_renewed_and_not_loaded_is_loaded_by_the_undo(made: Front) -> None:
    chain = ShortLivedChain(APP, 30)
    chain.plant(made.config)
    put(made.folder, APP, authority.load(made.folder / authority.FOLDER).issue(APP))
    seen = chain.look(made.config, wait=False)
    assert (seen.there, seen.felt) == (False, True)
    chain.unplant(made.config)
    assert left(made) > 86_400


def test_the_book_has_what_was_seen_and_a_last_look(made: Front) -> None:
    ShortLivedChain(APP, 2).plant(made.config)
    try:
        until(lambda: any(int(str(row["left_ms"])) < 86_400_000 for row in rows(made, "chain-seen")))
        until(lambda: {row["name"]: row["refused"] for row in rows(made, "name-served")}[APP])
        found = {row["name"]: row for row in rows(made, "name-served")}
        assert (found[APP]["refused"], found[APP]["listed"]) == ("certificate has expired", "")
        assert found["www.kunren.example"]["refused"] == ""
        assert found["www.kunren.example"]["listed"] == found["www.kunren.example"]["in_file"]
        assert {row["key_fits"] for row in found.values()} == {True}
        known = msgspec.convert(read_book(made.config, "certificates"), list[BOOK])  # type: ignore[misc]
        assert len(known) > 5
    finally:
        ShortLivedChain(APP, 2).unplant(made.config)


@pytest.mark.parametrize(
    ("verification", "takes"),
    [("on", set()), ("name-unchecked", {"wrong-name"}), ("off", {"expired", "self-signed", "wrong-name"})],
)
def test_what_a_client_of_ours_accepts_is_tried(
    made: Front, verification: clients.Verification, takes: set[str]
) -> None:
    clients.keep(made.folder, clients.SYNTHETIC, clients.Settings(verification))
    try:
        assert {row["decoy"] for row in rows(made, "client-look") if row["accepted"]} == takes
    finally:
        clients.keep(made.folder, clients.SYNTHETIC, clients.Settings())


def test_without_an_edge_nothing_is_felt_and_the_books_say_so(tmp_path: Path) -> None:
    with front(tmp_path) as made:
        chain = ShortLivedChain(APP, 30)
        chain.plant(made.config)
        made.control(verb="signal", service="edge", signal=9)
        until(lambda: made.healthy("edge") is None)
        seen = chain.look(made.config, wait=False)
        assert (seen.there, seen.felt) == (True, False)
        assert chain.unplant(made.config).ok
        found = {row["name"]: row for row in rows(made, "name-served")}
        assert (found[APP]["fingerprint"], found[APP]["refused"]) == ("", "Connection refused")
