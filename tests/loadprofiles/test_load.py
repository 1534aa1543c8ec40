"""The load as a whole: a real generator process against a brokerage made of real sockets."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from load_fake import Asked, FakeBrokerage, Says
from load_rig import HASTY, SMALL, make_load, read_journal, run, wait_for, with_habits, write_world

from drills.domains.customers.rows import Reply, Request
from drills.domains.figures.rows import Acted, Shown
from loadprofiles.arrivals import schedule
from loadprofiles.process import Load, LoadError
from loadprofiles.profiles import Patience, Profile
from loadprofiles.samples import OutcomeCode
from targets import children

from ..targets.ipv6 import needs_ipv6

ORDERS, INQUIRY = 0, 1


@pytest.fixture
def fake() -> Iterator[FakeBrokerage]:
    with FakeBrokerage() as brokerage:
        yield brokerage


def test_every_arrival_has_one_sample_and_the_journal_agrees(tmp_path: Path, fake: FakeBrokerage) -> None:
    ran = run(tmp_path, fake, arrivals=150)
    arrivals = schedule(SMALL, 7, 30.0)
    by_time = ran.samples[np.argsort(ran.samples["intended"], kind="stable")]
    assert np.array_equal(by_time["intended"] - ran.t0, arrivals.offset[: len(by_time)])
    assert np.array_equal(by_time["name"], arrivals.service[: len(by_time)])
    assert ran.summary["intended"] == ran.summary["sent"] == len(ran.samples)
    assert [row.n for row in ran.rows] == list(range(ran.summary["rows"]))
    assert set(ran.outcomes()) == {OutcomeCode.OK}
    requests = {int(row.id): row for row in ran.of(Request)}
    replies = {int(row.id): row for row in ran.of(Reply)}
    assert len(requests) == len(ran.of(Request))
    assert requests.keys() == replies.keys()
    for sample in ran.samples:
        request, reply = requests[int(sample["key"])], replies[int(sample["key"])]
        assert (request.intended_ns, request.t_ns, reply.t_ns) == (sample["intended"], sample["sent"], sample["done"])
        assert request.intended_ns <= request.t_ns <= reply.t_ns
        assert request.action in (("order",) if sample["name"] == ORDERS else ("balances", "quote"))
        assert reply.outcome == OutcomeCode(int(sample["outcome"])).word
        assert reply.account == request.account


def test_the_brokerage_got_what_the_journal_says(tmp_path: Path, fake: FakeBrokerage) -> None:
    ran = run(tmp_path, fake, arrivals=100)
    asked = fake.paths("/orders")
    written = [row for row in ran.of(Request) if row.action == "order"]
    assert sorted(each.headers["idempotency-key"] for each in asked) == sorted(row.key for row in written)
    by_key = {each.headers["idempotency-key"]: each for each in asked}
    for row in written:
        wire = by_key[row.key]
        assert wire.body == {"code": row.code, "side": row.side, "quantity": row.quantity, "price": row.price}
        assert wire.headers["authorization"] == f"Bearer token-of-{row.account}"
        assert row.root == row.key
    assert {each.body["password"] for each in fake.paths("/login")} == {f"secret-C-{n:04}" for n in range(1, 61)}


def test_each_customer_keeps_one_connection(tmp_path: Path, fake: FakeBrokerage) -> None:
    run(tmp_path, fake, arrivals=150)
    token_of = {}
    for each in fake.asked:
        if each.path != "/login":
            token_of.setdefault(each.connection, set()).add(each.headers["authorization"])
    assert fake.connections == SMALL.customers
    assert all(len(tokens) == 1 for tokens in token_of.values())


def test_more_than_1024_connections_are_kept_too(tmp_path: Path, fake: FakeBrokerage) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)  # of the brokerage, which lives in this process
    if hard < 3000:
        pytest.skip("needs a hard limit of 3000 open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 3000), hard))
    try:
        run(tmp_path, fake, Profile("crowd", {"inquiry": 300.0}, 1300), arrivals=600)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert fake.connections == 1300


def test_customers_act_on_what_they_are_shown(tmp_path: Path, fake: FakeBrokerage) -> None:
    ran = run(tmp_path, fake, arrivals=200)
    shown = {row.id: row for row in ran.of(Shown)}
    acted = ran.of(Acted)
    balances = [row for row in ran.of(Reply) if row.action == "balances"]
    assert len(shown) == len(balances)
    assert 0 < len(acted) < len(shown)
    orders = {(row.account, row.t_ns): row for row in ran.of(Request) if row.action == "order"}
    for act in acted:
        order = orders[act.account, act.t_ns]
        assert shown[act.shown].account == act.account
        assert act.yen == order.quantity * order.price <= shown[act.shown].yen
        assert act.t_ns >= shown[act.shown].received_ns
    rated = {int(each) for each in ran.samples["key"]}
    assert not rated & {int(orders[act.account, act.t_ns].id) for act in acted}


def test_nobody_acts_on_figures_that_are_not_current(tmp_path: Path, fake: FakeBrokerage) -> None:
    body = {"cash": 10**7, "buying_power": 10**7, "as_of": "10:00", "status": "not-current"}
    fake.script = lambda asked: Says(200, body) if asked.path == "/balances" else None
    ran = run(tmp_path, fake, arrivals=120)
    assert ran.of(Shown)
    assert not any(row.current for row in ran.of(Shown))
    assert not ran.of(Acted)


@pytest.mark.parametrize(("status", "error"), [(503, "SERVICE_CLOSED"), (422, "BUYING_POWER")])
def test_an_order_that_surely_had_no_effect_is_no_act(
    tmp_path: Path, fake: FakeBrokerage, status: int, error: str
) -> None:
    fake.script = lambda asked: Says(status, {"error": error, "says": "no"}) if asked.path == "/orders" else None
    ran = run(tmp_path, fake, arrivals=120)
    assert ran.of(Shown)
    assert not ran.of(Acted)
    wanted = OutcomeCode.CLOSED if status == 503 else OutcomeCode.REJECT
    assert set(ran.outcomes(ORDERS)) == {wanted}
    assert not any(row.final for row in ran.of(Request))


EVENING = Profile("dusk", {"orders": 20.0, "repayment": 40.0, "inquiry": 40.0}, 60, replace(HASTY, repay=1.0))


def test_who_owes_repays_on_what_is_shown_and_who_does_not_orders(tmp_path: Path, fake: FakeBrokerage) -> None:
    ran = run(tmp_path, fake, EVENING, arrivals=200, world=write_world(tmp_path, loan=3_000_000))
    owes = {f"C-{n:04}" for n in range(1, 61, 2)}
    requests = {int(row.id): row for row in ran.of(Request)}
    rated = [requests[int(each["key"])] for each in ran.samples if each["name"] == 1]
    assert {row.action for row in rated} == {"repayment"}
    assert {row.yen for row in rated} == {1_000}
    assert sum(row.account in owes for row in rated) > 0.9 * len(rated)  # where all of them are busy, another comes
    acted, shown = ran.of(Acted), {row.id: row for row in ran.of(Shown)}
    assert {act.what for act in acted} == {"order", "repayment"}
    for act in acted:
        assert (act.what == "repayment") == (act.account in owes)
        if act.what == "repayment":
            assert 0 < act.yen <= 0.2 * shown[act.shown].yen
    asked = {each.headers["idempotency-key"]: each for each in fake.paths("/repayments")}
    written = [row for row in requests.values() if row.action == "repayment"]
    assert {key: each.body["yen"] for key, each in asked.items()} == {row.key: row.yen for row in written}
    assert all(row.order.startswith("R-") for row in ran.of(Reply) if row.action == "repayment")


def test_a_repayment_that_was_refused_is_no_act(tmp_path: Path, fake: FakeBrokerage) -> None:
    closed = Says(503, {"error": "SERVICE_CLOSED", "says": "no"})
    fake.script = lambda asked: closed if asked.path == "/repayments" else None
    ran = run(tmp_path, fake, EVENING, arrivals=150, world=write_world(tmp_path, loan=3_000_000))
    assert {act.what for act in ran.of(Acted)} == {"order"}
    assert set(ran.outcomes(1)) == {OutcomeCode.CLOSED}


def test_a_stall_does_not_slow_the_arrivals(tmp_path: Path, fake: FakeBrokerage) -> None:
    """The proof of the open model: during 2 s of silence the offered rate stays, and all of it counts as late."""
    profile = Profile("open", SMALL.services, 400, SMALL.behaviour, Patience(1.0, 4.0))
    stalled: list[int] = []

    def stall(load: Load) -> None:
        time.sleep(0.6)
        fake.stall(True)
        stalled.append(time.monotonic_ns())
        time.sleep(2.0)
        stalled.append(time.monotonic_ns())
        fake.stall(False)

    ran = run(tmp_path, fake, profile, arrivals=250, meanwhile=stall)
    began, ended = stalled
    arrivals = schedule(profile, 7, 30.0).offset + ran.t0
    meant = int(((arrivals >= began) & (arrivals < ended)).sum())
    during = ran.samples[(ran.samples["intended"] >= began) & (ran.samples["intended"] < ended)]
    assert len(during) == meant > 100
    assert not (during["outcome"] == OutcomeCode.DROPPED).any()
    assert (during["done"] >= ended).mean() > 0.95  # answered only after the stall (but for the instant it began)
    early = during[during["intended"] < ended - 1_000_000_000]
    assert ((early["done"] - early["intended"]) > 900_000_000).mean() > 0.9


def test_busy_customers_are_passed_over_and_when_all_are_busy_arrivals_are_dropped(
    tmp_path: Path, fake: FakeBrokerage
) -> None:
    profile = Profile("few", SMALL.services, 5, SMALL.behaviour, Patience(1.0, 2.0))
    fake.script = lambda asked: Says(how="hang") if asked.path != "/login" else None
    ran = run(tmp_path, fake, profile, arrivals=60)
    counts = Counter(ran.outcomes())
    assert set(counts) == {OutcomeCode.TIMEOUT, OutcomeCode.DROPPED}
    assert counts[OutcomeCode.DROPPED] == ran.summary["dropped"] > counts[OutcomeCode.TIMEOUT]
    dropped = ran.samples[ran.samples["outcome"] == OutcomeCode.DROPPED]
    assert not dropped["sent"].any()
    assert not dropped["done"].any()
    assert not dropped["key"].any()
    assert ran.summary["intended"] == len(ran.samples)
    sent = {int(key) for key in ran.samples["key"]} - {0}
    assert len(sent) == ran.summary["sent"]


@pytest.mark.parametrize(
    ("says", "orders"),
    [
        (Says(500, {"error": "DATABASE"}), OutcomeCode.ERROR),
        (Says(503, {"error": "LOCK_TIMEOUT"}), OutcomeCode.ERROR),
        (Says(504, {"error": "STATE_UNKNOWN", "order": "O", "state": "unknown"}), OutcomeCode.UNKNOWN),
        (Says(how="hang"), OutcomeCode.TIMEOUT),
        (Says(how="reset"), OutcomeCode.RESET),
        (Says(how="close"), OutcomeCode.RESET),
        (Says(200, {"x": 1}, "half"), OutcomeCode.ERROR),
        (Says(200, b"\xff garbage"), OutcomeCode.ERROR),
        (Says(body=b"\x00\x01\x02 nothing like HTTP\r\n\r\n", how="raw"), OutcomeCode.ERROR),
        (Says(200, [1, 2]), OutcomeCode.ERROR),
        (Says(301, {}), OutcomeCode.ERROR),
    ],
)
def test_how_requests_can_end(tmp_path: Path, fake: FakeBrokerage, says: Says, orders: OutcomeCode) -> None:
    fake.script = lambda asked: says if asked.path != "/login" else None
    ran = run(tmp_path, fake, replace(SMALL, customers=400), arrivals=25)
    assert set(ran.outcomes(ORDERS)) == {orders}
    assert ran.summary["abandoned"] == 0
    rated = [each.headers["idempotency-key"] for each in fake.paths("/orders") if each.method == "POST"]
    assert len(rated) == len(set(rated))  # nothing was ever sent twice under one key


def test_a_request_is_never_repeated_even_where_it_would_be_harmless(tmp_path: Path, fake: FakeBrokerage) -> None:
    fake.script = lambda asked: Says(how="close") if asked.path.startswith(("/balances", "/quotes")) else None
    ran = run(tmp_path, fake, arrivals=60)
    asked = fake.paths("/balances") + fake.paths("/quotes")
    # By the journal, which has a row before anything is sent: a visit cut off by the end of the load has no sample.
    assert 20 < len(asked) <= sum(row.action in ("balances", "quote") for row in ran.of(Request))
    assert set(ran.outcomes(INQUIRY)) == {OutcomeCode.RESET}
    assert set(ran.outcomes(ORDERS)) == {OutcomeCode.OK}


def test_connections_closed_while_idle_are_opened_again_unseen(tmp_path: Path, fake: FakeBrokerage) -> None:
    def drop(load: Load) -> None:
        wait_for(lambda: len(fake.asked) > 100)
        fake.drop_idle()

    # `bye`: closes after each answer, without having said so
    fake.script = lambda asked: Says(201, {"order": "O", "state": "new"}, "bye") if asked.path == "/orders" else None
    ran = run(tmp_path, fake, arrivals=150, meanwhile=drop)
    resets = ran.outcomes().count(OutcomeCode.RESET)  # only what was under way at that very moment
    assert resets <= 5
    assert fake.connections > SMALL.customers


def test_refused_connections(tmp_path: Path, fake: FakeBrokerage) -> None:
    ran = run(tmp_path, fake, arrivals=60, meanwhile=lambda load: fake.stop_listening())
    assert ran.outcomes().count(OutcomeCode.REFUSED) > 30
    assert set(ran.outcomes()) <= {OutcomeCode.OK, OutcomeCode.REFUSED, OutcomeCode.RESET}
    refused = {int(each["key"]) for each in ran.samples if each["outcome"] == OutcomeCode.REFUSED}
    assert all(row.status == 0 for row in ran.of(Reply) if int(row.id) in refused)


UNKNOWN = Says(504, {"error": "STATE_UNKNOWN", "order": "O", "state": "unknown"})


def first_attempts_unknown(asked: Asked) -> Says | None:
    key = asked.headers.get("idempotency-key", "")
    return UNKNOWN if asked.path == "/orders" and not key.endswith("r") else None


def test_some_in_doubt_type_again_with_a_new_key_and_the_same_root(tmp_path: Path, fake: FakeBrokerage) -> None:
    fake.script = first_attempts_unknown
    ran = run(tmp_path, fake, with_habits(SMALL, retype=1.0), arrivals=60)
    orders = {row.key: row for row in ran.of(Request) if row.action == "order"}
    again = [row for row in orders.values() if row.root != row.key]
    assert len(again) > 10
    for row in again:
        first = orders[row.root]
        assert row.t_ns > first.t_ns
        assert row.account == first.account
        assert (row.code, row.side, row.quantity, row.price) == (first.code, first.side, first.quantity, first.price)
    assert not {int(row.id) for row in again} & {int(key) for key in ran.samples["key"]}


def test_the_others_look_and_are_content_with_a_clear_answer(tmp_path: Path, fake: FakeBrokerage) -> None:
    fake.script = first_attempts_unknown
    ran = run(tmp_path, fake, with_habits(SMALL, retype=0.0, act=0.0), arrivals=60)
    looks = [row for row in ran.of(Request) if row.action == "status"]
    unknown = {row.key for row in ran.of(Reply) if row.outcome == "unknown"}
    assert {row.key for row in looks} == unknown
    assert len(looks) == len(unknown)  # filled: asked once, then or at the end
    assert any(row.final for row in looks) or len(unknown) > 0
    assert ran.summary["unresolved"] == 0


def test_lookers_type_again_only_when_told_it_was_rejected(tmp_path: Path, fake: FakeBrokerage) -> None:
    def rejected(asked: Asked) -> Says | None:
        if asked.method == "GET" and asked.path.startswith("/orders/"):
            return Says(200, {"order": "O", "state": "rejected", "filled": 0})
        return first_attempts_unknown(asked)

    fake.script = rejected
    ran = run(tmp_path, fake, with_habits(SMALL, retype=0.0, act=0.0), arrivals=80)
    told = {row.key: row.t_ns for row in ran.of(Reply) if row.action == "status"}
    again = [row for row in ran.of(Request) if row.action == "order" and row.root != row.key]
    assert again
    for row in again:
        assert told[row.root] <= row.t_ns


def test_orders_still_unknown_are_asked_about_once_at_the_end(tmp_path: Path, fake: FakeBrokerage) -> None:
    def all_unknown(asked: Asked) -> Says | None:
        if asked.method == "GET" and asked.path.startswith("/orders/"):
            return Says(200, {"order": "O", "state": "unknown", "filled": 0})
        return UNKNOWN if asked.path == "/orders" else None

    fake.script = all_unknown
    ran = run(tmp_path, fake, with_habits(SMALL, looks=1), arrivals=60)
    keys = {row.key for row in ran.of(Request) if row.action == "order"}
    final = [row.key for row in ran.of(Request) if row.final]
    assert sorted(final) == sorted(keys)
    assert ran.summary["unresolved"] == len(keys)


def test_a_retype_refused_as_closed_is_followed_by_looking(tmp_path: Path, fake: FakeBrokerage) -> None:
    def closing(asked: Asked) -> Says | None:
        if asked.path == "/orders" and asked.headers["idempotency-key"].endswith("r"):
            return Says(503, {"error": "SERVICE_CLOSED", "says": "closed"})
        return first_attempts_unknown(asked)

    fake.script = closing
    ran = run(tmp_path, fake, with_habits(SMALL, retype=1.0, act=0.0), arrivals=80)
    closed = [row for row in ran.of(Reply) if row.outcome == "closed"]
    looked_at = {row.key for row in ran.of(Request) if row.action == "status"}
    assert closed
    assert {row.key.removesuffix("r") for row in closed} <= looked_at
    assert not any(row.key.endswith("r") for row in ran.of(Request) if row.action == "status")


def test_same_seed_same_orders(tmp_path: Path, fake: FakeBrokerage) -> None:
    profile = with_habits(SMALL, act=0.0)
    first = run(tmp_path / "a", fake, profile, arrivals=60)
    again = run(tmp_path / "b", fake, profile, arrivals=60)

    def orders(rows: list[Request]) -> dict[str, tuple[object, ...]]:
        kept = [row for row in rows if row.action == "order"]
        return {row.key: (row.account, row.code, row.side, row.quantity, row.price) for row in kept}

    one, two = orders(first.of(Request)), orders(again.of(Request))
    # a customer who happens to be busy is replaced by the next, the more often the busier the machine
    by_the_same = [key for key in one.keys() & two.keys() if one[key][0] == two[key][0]]
    assert len(by_the_same) >= 10
    assert [one[key] for key in by_the_same] == [two[key] for key in by_the_same]


def test_the_load_ends_by_itself_at_its_longest(tmp_path: Path, fake: FakeBrokerage) -> None:
    with make_load(tmp_path, max_s=0.5) as load:
        load.start()
        load.prepare(fake.url, within_s=60)
        load.go(time.monotonic_ns())
        expected = len(schedule(SMALL, 7, 0.5))
        seen = 0

        def all_in() -> bool:
            nonlocal seen
            seen += len(load.tail())
            return seen >= expected

        wait_for(all_in)
        time.sleep(0.3)
        assert len(load.tail()) == 0
        assert load.stop()["intended"] == expected


def test_progress_is_told_and_all_are_logged_in_before_ready(tmp_path: Path, fake: FakeBrokerage) -> None:
    told: list[tuple[int, int]] = []
    with make_load(tmp_path, Profile("many", {"orders": 1.0}, 250)) as load:
        load.start()
        load.prepare(fake.url, within_s=60, progress=lambda done, of: told.append((done, of)))
        assert len(fake.paths("/login")) == 250
        assert load.alive
        summary = load.stop()
    assert told == [(0, 250), (100, 250), (200, 250)]
    assert summary["intended"] == 0
    assert not load.alive


def test_a_customer_that_cannot_log_in_ends_the_preparation(tmp_path: Path, fake: FakeBrokerage) -> None:
    fake.script = lambda asked: Says(401, {"error": "PASSWORD"})
    with make_load(tmp_path) as load:
        load.start()
        with pytest.raises(
            LoadError, match=r"C-00\d\d: error, status 401 PASSWORD; is the target up, and made from the same seed"
        ):
            load.prepare(fake.url, within_s=60)


def test_a_target_that_never_answers_ends_the_preparation_in_time(tmp_path: Path, fake: FakeBrokerage) -> None:
    fake.script = lambda asked: Says(how="hang")
    with make_load(tmp_path, Profile("x", {"orders": 1.0}, 3, patience=Patience(1.0, 30.0))) as load:
        load.start()
        with pytest.raises(LoadError, match="did not say 'ready' in time"):
            load.prepare(fake.url, within_s=4)


@pytest.mark.parametrize("max_s", [0.0, 1801.0])
def test_no_load_is_longer_than_half_an_hour(tmp_path: Path, max_s: float) -> None:
    load = make_load(tmp_path, max_s=max_s)
    with pytest.raises(LoadError, match="at most 1800 s"):
        load.start()
    assert not load.alive


def certificate(folder: Path) -> Path:
    """A self-signed one, for 127.0.0.1."""
    path = folder / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(folder / "key.pem"), "-out", str(path)],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    return path


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command to make a certificate")
@pytest.mark.parametrize("trusted", ["by this machine", "by name", ""])
def test_certificates_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusted: str) -> None:
    path = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, tmp_path / "key.pem")
    if trusted == "by this machine":
        known = {**children.own_environment(), "SSL_CERT_FILE": str(path)}
        monkeypatch.setattr(children, "own_environment", lambda: known)
        # not by drills/start.py, which would take the variable out: no drill of ours brings authorities of its own
        monkeypatch.setattr(children, "python", lambda module, *words: [sys.executable, "-m", module, *words])
        monkeypatch.setattr(children, "NEUTRAL", str(Path(__file__).parents[2]))
    with FakeBrokerage(tls=context) as fake, make_load(tmp_path) as load:
        load.start()
        if trusted:
            load.prepare(fake.url, within_s=60, authority=path.read_text() if trusted == "by name" else "")
            assert len(fake.paths("/login")) == SMALL.customers
        else:
            with pytest.raises(LoadError, match="refused, status 0"):
                load.prepare(fake.url, within_s=60)
            assert not fake.asked


def test_nothing_is_sent_beyond_this_machine(tmp_path: Path) -> None:
    with make_load(tmp_path) as load:
        load.start()
        with pytest.raises(LoadError, match="only to addresses of 127"):
            load.prepare("http://example.com:80", within_s=60)


def test_a_world_too_small_is_refused_with_both_numbers(tmp_path: Path, fake: FakeBrokerage) -> None:
    with make_load(tmp_path, world=write_world(tmp_path, customers=10)) as load:
        load.start()
        with pytest.raises(LoadError, match="has 10 accounts and 2 prices; profile small needs 60"):
            load.prepare(fake.url, within_s=60)


def test_a_missing_world_is_named(tmp_path: Path, fake: FakeBrokerage) -> None:
    with make_load(tmp_path, world=tmp_path / "none.jsonl") as load:
        load.start()
        with pytest.raises(LoadError, match=r"cannot read the world .*none\.jsonl"):
            load.prepare(fake.url, within_s=60)


def test_a_generator_that_dies_is_reported_with_its_last_words(tmp_path: Path, fake: FakeBrokerage) -> None:
    with make_load(tmp_path) as load:
        load.start()
        load.prepare(fake.url, within_s=60)
        (tmp_path / "load.log").write_text("MemoryError: no more\n")
        os.kill(load.pid, signal.SIGKILL)
        with pytest.raises(LoadError, match="died") as told:
            load.stop()
        assert "MemoryError: no more" in str(told.value)
        with pytest.raises(LoadError, match="did not come to an orderly end"):
            load.result()


def test_killing_the_load_keeps_what_was_noted(tmp_path: Path, fake: FakeBrokerage) -> None:
    with make_load(tmp_path) as load:
        load.start()
        load.prepare(fake.url, within_s=60)
        load.go(time.monotonic_ns())
        wait_for(lambda: len(load.tail()) > 0)
        pid = load.pid
        load.kill()
        load.kill()
        assert not psutil.pid_exists(pid)
    assert read_journal(tmp_path)


def test_the_load_is_started_from_the_main_thread_or_not_at_all(tmp_path: Path) -> None:
    load, errors = make_load(tmp_path), []

    def start() -> None:
        try:
            load.start()
        except LoadError as error:
            errors.append(str(error))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join(10)
    assert "main thread" in errors[0]
    assert not load.alive


HARNESS = """
import sys, time
sys.path.insert(0, sys.argv[3])
from pathlib import Path
from load_rig import make_load
load = make_load(Path(sys.argv[1]))
load.start()
load.prepare(sys.argv[2], within_s=60)
load.go(time.monotonic_ns())
print(load.pid, flush=True)
time.sleep(600)
"""


def test_a_killed_harness_takes_the_load_with_it(tmp_path: Path, fake: FakeBrokerage) -> None:
    harness = subprocess.Popen(
        [sys.executable, "-c", HARNESS, str(tmp_path), fake.url, str(Path(__file__).parent)], stdout=subprocess.PIPE
    )
    assert harness.stdout is not None
    try:
        pid = int(harness.stdout.readline())
        assert psutil.pid_exists(pid)
    finally:
        harness.kill()
        harness.wait(10)
        harness.stdout.close()
    wait_for(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, within_s=10)


def test_customers_come_to_the_other_loopback_address_too(tmp_path: Path) -> None:
    needs_ipv6()
    with FakeBrokerage(host="::1") as fake:
        ran = run(tmp_path, fake)
    assert set(ran.outcomes()) <= {OutcomeCode.OK, OutcomeCode.REJECT}
    assert {asked.headers["host"] for asked in fake.asked} == {f"[::1]:{fake.port}"}
