"""Certificates of several names: served, renewed, checked and entered, as operators and customers meet them."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from targets.brokerage import clients
from targets.brokerage.certification import put
from targets.brokerage.config import VendorConfig
from targets.brokerage.edge import certificates, delivered, inventory, probe
from targets.brokerage.edge.handshakes import WINDOW_S, Handshakes
from targets.brokerage.edge.names import NAMES, USUAL
from targets.brokerage.vendor import authority
from targets.brokerage.vendor.authority import Delivery

from .front import Front, front, until

APP = "app.kunren.example"
QUICK = VendorConfig(hotline_s=0.2)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with front(tmp_path_factory.mktemp("front"), vendor=QUICK) as found:
        yield found


@pytest.fixture
def issued(made: Front) -> Iterator[authority.Authority]:
    """The vendor's own, and at the end a good chain for every name."""
    signing = authority.load(made.folder / authority.FOLDER)
    yield signing
    for name in NAMES:
        put(made.folder, name, signing.issue(name))
    made.done("edge", "reload")


def refused(made: Front, name: str) -> str | None:
    return probe.refusal_of(made.config.at("edge"), 3, name, made.trusted())


def serve(made: Front, delivery: Delivery, name: str = APP) -> None:
    put(made.folder, name, delivery)
    made.done("edge", "reload")


def test_each_name_has_a_certificate_of_its_own(made: Front) -> None:
    shown = {
        name: certificates.in_handshake(probe.chain_served(made.config.at("edge"), 3, name)) for name in (*NAMES, "")
    }
    assert shown[USUAL] == shown[""] != shown[APP]
    assert {name: refused(made, name) for name in (*NAMES, "127.0.0.1")} == dict.fromkeys((*NAMES, "127.0.0.1"))
    assert "mismatch" in (refused(made, "other.example") or "").lower()


@pytest.mark.parametrize("part", ["leaf", "intermediate"])
def test_what_has_ended_is_refused_and_is_still_seen(
    made: Front, issued: authority.Authority, part: authority.Part
) -> None:
    serve(made, issued.issue(APP, -5, part))
    assert refused(made, APP) == "certificate has expired"
    assert refused(made, USUAL) is None
    found = made.done("cert", "scan")
    assert -60 < found["seconds_left"] < 0
    assert found["unlisted"] == 1
    verified = made.done("cert", "verify")
    assert (verified["verified"], verified["same"]) == (False, True)


def test_the_edge_counts_by_name_who_hangs_up(made: Front, issued: authority.Authority) -> None:
    serve(made, issued.issue(APP, -5))
    for _ in range(5):
        refused(made, APP)
        refused(made, USUAL)
    until(lambda: made.metrics("edge")[f'edge_handshake_failure_ratio{{name="{APP}"}}'] > 0.5)
    assert made.metrics("edge")[f'edge_handshake_failure_ratio{{name="{USUAL}"}}'] < 0.5


def test_the_scan_from_outside_sees_every_name_and_the_inventory_only_those_entered(
    made: Front, issued: authority.Authority
) -> None:
    serve(made, issued.issue(APP, 40, "intermediate"))
    key = f'scan_chain_seconds_left{{listener="edge",name="{APP}"}}'
    until(lambda: made.metrics("vendor")[key] < 41)
    listed = {name for name in made.metrics("edge") if name.startswith("edge_inventory_seconds_left")}
    assert listed == {f'edge_inventory_seconds_left{{name="{USUAL}"}}'}


def test_a_renewal_from_the_vendor_to_the_customers(made: Front, issued: authority.Authority) -> None:
    serve(made, issued.issue(APP, 60))
    found = made.done("cert", "request")
    assert found["names"] == [APP]
    assert found["waited"] >= QUICK.hotline_s
    assert made.done("cert", "check")["good"]
    assert made.done("cert", "install")["pair"]
    assert not made.done("cert", "verify")["same"]  # P09: installed is not loaded
    assert made.done("edge", "reload")["names"] == [APP]
    found = made.done("cert", "verify")
    assert (found["verified"], found["same"]) == (True, True)
    assert found["seconds_left"] > 86_400
    assert not made.done("cert", "request")["changed"]


def test_a_name_is_entered_as_it_is_served(made: Front) -> None:
    before = inventory.read(made.folder)
    try:
        assert made.done("cert", "inventory")["unlisted"] == 1
        assert made.done("cert", "enter", APP)["unlisted"] == 0
        assert not made.done("cert", "enter", APP)["changed"]
    finally:
        path = made.folder / certificates.FOLDER / inventory.FILE
        path.write_bytes(msgspec.json.encode(before))


def test_a_leaf_alone_is_refused_by_who_knows_only_the_root(made: Front, issued: authority.Authority) -> None:
    made.done("cert", "request", APP)
    made.done("cert", "install", APP, "--chain", "leaf")
    made.done("edge", "reload")
    assert refused(made, APP) == "unable to get local issuer certificate"
    assert made.done("cert", "scan")["seconds_left"] > 86_400  # which no scan of ends would see


def test_a_chain_over_another_key_is_not_loaded(made: Front, issued: authority.Authority) -> None:
    made.done("cert", "request", APP)
    assert not made.done("cert", "install", APP, "--key", "kept")["pair"]
    assert made.ctl("edge", "reload").exit == 1
    assert refused(made, APP) is None


def test_with_such_a_pair_the_edge_does_not_start(tmp_path: Path) -> None:
    with front(tmp_path, vendor=QUICK) as made:
        made.done("cert", "request", APP)
        made.done("cert", "install", APP, "--key", "kept")
        made.control(verb="signal", service="edge", signal=9)
        until(lambda: made.healthy("edge") is None)
        made.control(verb="start", service="edge")
        until(lambda: made.control(verb="status")["services"]["edge"]["state"] == "exited")
        assert refused(made, USUAL) == "Connection refused"


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        ("other-key", "the key is not that of the certificate"),
        ("no-intermediate", "the chain does not hold"),
        ("ended", "the chain does not hold"),
        ("other-name", "the chain does not hold"),
        ("cut", "it cannot be read"),
    ],
)
def test_what_is_delivered_is_looked_at_before_it_is_installed(tmp_path: Path, spoil: str, why: str) -> None:
    signing = authority.create(tmp_path / authority.FOLDER, {APP: [], USUAL: ["127.0.0.1"]})
    good = signing.issue(APP)
    bad = {
        "other-key": Delivery(good.leaf, good.intermediate, signing.issue(APP).key),
        "no-intermediate": Delivery(good.leaf, b"", good.key),
        "ended": signing.issue(APP, -5, "intermediate"),
        "other-name": signing.issue(USUAL),
        "cut": Delivery(good.leaf[:200], b"", good.key),
    }[spoil]
    (tmp_path / certificates.FOLDER).mkdir()
    root = authority.pem(signing.root.certificate)
    certificates.write(tmp_path / certificates.FOLDER / certificates.AUTHORITY, root)
    delivered.keep(tmp_path, APP, good.leaf, good.intermediate, good.key)
    assert delivered.trouble(tmp_path, APP) is None
    delivered.keep(tmp_path, APP, bad.leaf, bad.intermediate, bad.key)
    assert (delivered.trouble(tmp_path, APP) or "").startswith(why)


def test_a_client_verifies_unless_its_own_settings_say_otherwise(made: Front, tmp_path: Path) -> None:
    with contextlib.ExitStack() as undo:
        undo.callback(clients.keep, made.folder, clients.SYNTHETIC, clients.Settings())
        required, none = ssl.CERT_REQUIRED, ssl.CERT_NONE
        for wanted, checks, mode in (("on", True, required), ("name-unchecked", False, required), ("off", False, none)):
            made.done("synthetic", "verification", wanted)
            context = clients.context(made.folder, clients.SYNTHETIC)
            assert (context.check_hostname, context.verify_mode) == (checks, mode)


def test_names_that_are_not_ours_are_refused(made: Front) -> None:
    for words in (("request",), ("check",), ("install",), ("verify",), ("enter",)):
        assert made.ctl("cert", *words, "other.example").exit == 1


def test_the_share_that_failed_is_of_the_last_seconds_and_of_more_than_a_few() -> None:
    from prometheus_client import CollectorRegistry

    now = [0.0]
    found = Handshakes(["a", "b"], CollectorRegistry(), lambda: now[0])
    for _ in range(4):
        found.begun("a")
    found.begun("b")
    found.good("a")
    assert (found.failed("a"), found.failed("b")) == (0.75, 0.0)
    now[0] = WINDOW_S / 2
    found.look()
    now[0] = WINDOW_S * 2
    found.look()
    assert found.failed("a") == 0.0


def test_nothing_listens_is_a_refusal_too() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        where = free.getsockname()
    assert probe.refusal_of(where, 1, APP, ssl.create_default_context()) == "Connection refused"
