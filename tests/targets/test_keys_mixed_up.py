"""Keys mixed up at a real vendor: before, planted, delivered and found, asked for anew, taken out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from targets.brokerage.config import VendorConfig
from targets.brokerage.edge import certificates, probe
from targets.brokerage.edge.short_lived_chain import ShortLivedChain
from targets.brokerage.vendor.keys_mixed_up import KeysMixedUp

from .front import Front, front, until

APP, WWW = "app.kunren.example", "www.kunren.example"
OTHER_KEY = f"{APP}: the key is not that of the certificate"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with front(tmp_path_factory.mktemp("front"), vendor=VendorConfig(hotline_s=0.1)) as found:
        yield found


@pytest.fixture(autouse=True)
def clean(made: Front) -> Iterator[None]:
    yield
    KeysMixedUp(APP).unplant(made.config)
    made.done("cert", "request", *(APP, WWW))
    made.done("cert", "install")
    made.done("edge", "reload")


def refused(made: Front, name: str) -> str | None:
    return probe.refusal_of(made.config.at("edge"), 3, name, made.trusted())


def test_it_comes_and_goes(made: Front) -> None:
    mixed_up = KeysMixedUp(APP, 2)
    before = mixed_up.look(made.config, wait=False)
    assert (before.there, before.felt) == (False, False)
    assert mixed_up.plant(made.config).data == {"name": APP, "deliveries": 2}
    seen = mixed_up.look(made.config, wait=True)
    assert (seen.there, seen.felt) == (True, True)
    assert mixed_up.unplant(made.config).data == {"changed": True}
    assert not mixed_up.look(made.config, wait=False).there
    assert mixed_up.unplant(made.config).data == {"changed": False}


def test_what_is_delivered_fails_the_check_and_what_is_asked_for_anew_passes(made: Front) -> None:
    KeysMixedUp(APP).plant(made.config)
    made.done("cert", "request", APP, WWW)
    checked = made.ctl("cert", "check")
    assert (checked.exit, checked.says) == (0, OTHER_KEY)
    assert not checked.as_json()["good"]
    anew = made.ctl("cert", "request", "--rejected")
    assert anew.as_json()["names"] == [APP]
    assert anew.says.startswith(f"rejected: {OTHER_KEY}; the vendor has delivered for {APP}")
    assert made.done("cert", "check")["good"]
    again = made.done("cert", "request", "--rejected")
    assert (again["names"], again["changed"]) == ([], False)
    assert made.done("cert", "install")["pair"]
    assert set(made.done("edge", "reload")["names"]) == {APP, WWW}
    assert refused(made, APP) is None


def test_the_vendor_may_be_wrong_more_than_once(made: Front) -> None:
    KeysMixedUp(APP, 2).plant(made.config)
    made.done("cert", "request", APP)
    made.done("cert", "request", "--rejected")
    assert not made.done("cert", "check")["good"]
    made.done("cert", "request", "--rejected")
    assert made.done("cert", "check")["good"]


def test_installed_unchecked_it_is_not_loaded_and_the_edge_does_not_come_up_with_it(made: Front) -> None:
    KeysMixedUp(APP).plant(made.config)
    made.done("cert", "request", APP)
    assert not made.done("cert", "install")["pair"]
    assert made.ctl("edge", "reload").exit == 1
    assert refused(made, APP) is None  # as long as the edge lives
    made.kill("edge")
    made.control(verb="start", service="edge")
    until(lambda: made.control(verb="status")["services"]["edge"]["state"] == "exited")
    assert {refused(made, name) for name in (APP, WWW)} == {"Connection refused"}
    made.done("cert", "request", "--rejected")
    made.done("cert", "install")
    made.start("edge")
    assert refused(made, APP) is None


def test_a_short_chain_is_taken_out_where_what_was_installed_since_cannot_be_loaded(made: Front) -> None:
    chain = ShortLivedChain(APP, 30)
    chain.plant(made.config)
    KeysMixedUp(APP).plant(made.config)
    made.done("cert", "request", APP)
    made.done("cert", "install", APP)
    assert made.ctl("edge", "reload").exit == 1
    assert chain.unplant(made.config).ok
    shown = certificates.in_handshake(probe.chain_served(made.config.at("edge"), 3, APP))
    assert shown.seconds_left(certificates.now()) > 86_400
