"""Edge and relay as customers and operators meet them: real TLS, a real volume, real signals."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import itertools
import json
import signal
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drills.domains.registry import DOMAINS
from targets.brokerage.certification import put
from targets.brokerage.config import EdgeConfig, RelayConfig
from targets.brokerage.edge import certificates
from targets.brokerage.edge.names import USUAL
from targets.brokerage.operations.tool import TOOL
from targets.brokerage.relay.lines import CURRENT, DEBUG, whole
from targets.brokerage.vendor.authority import FOLDER, load
from targets.brokerage.volumes import keeping
from targets.keeper import OF_TARGET
from targets.local import members

from .front import Front, asked, front, until
from .shapes import misfits

VOLUME = "relay-log"
BOOK = DOMAINS.books["transactions"]
IN_FRONT = (
    ("edge", "show"), ("edge", "limit", "100"), ("edge", "limit", "off"), ("edge", "reload"), ("relay", "status"),
    ("relay", "level", "debug"), ("relay", "rotate"), ("relay", "level", "info"),
    ("cert", "scan"), ("cert", "inventory"), ("cert", "request", "app.kunren.example"), ("cert", "check"),
    ("cert", "request", "--rejected"),
    ("cert", "install"), ("cert", "verify"), ("cert", "enter"), ("synthetic", "verification", "on"),
    ("volume", "copy", VOLUME, "transactions-000[12]*"), ("volume", "unpack", VOLUME, "*.gz"),
    ("volume", "split", VOLUME, "transactions-00002*.gz"),
    ("volume", "truncate", VOLUME, "copy-*"), ("volume", "remove", VOLUME, "copy-transactions-*"),
    ("volume", "pack", VOLUME, "debug-*"), ("volume", "move", VOLUME, "debug-*.gz", "--copies"),
)  # fmt: skip
"""Every command but ``volume show``, which needs a real volume."""

limited = pytest.mark.skipif(not keeping.way(), reason="no limited volume here")


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Front]:
    with front(tmp_path) as found:
        yield found


def fits(made: Front, *words: str) -> dict[str, Any]:
    """It is done, and replies what it declares."""
    reply = made.done(*words)
    command = TOOL.command(["brokerctl", *words])
    assert command is not None
    assert misfits(command.reply, reply) == [], words
    return reply


def renew(made: Front) -> None:
    """As the vendor would."""
    put(made.folder, USUAL, load(made.folder / FOLDER).issue(USUAL))


def logged(made: Front) -> list[str]:
    return [line.what for line in whole((made.volume / CURRENT).read_bytes())]


def test_every_command_replies_what_it_declares(made: Front) -> None:
    for words in IN_FRONT:
        fits(made, *words)


# -- the way of a request ---------------------------------------------------------------------------------------------


def test_a_request_stands_in_the_log_before_it_goes_on(made: Front) -> None:
    assert made.ask("/orders", "POST", Idempotency_Key="7-1") == (200, {"what": "POST /orders"})
    assert made.ask("/die")[0] == 504  # it may have arrived: never 503
    assert made.api.asked == ["POST /orders", "GET /die"]
    assert logged(made) == ["started", "POST /orders", "GET /die"]
    line = made.book("log-line")[1]
    assert (line["key"], line["what"], line["file"]) == ("7-1", "POST /orders", CURRENT)


def test_the_book_has_the_rows_that_its_domain_knows(made: Front) -> None:
    made.ask("/orders", "POST", Idempotency_Key="7-1")
    rows = [row for kind in ("log-file", "log-line", "high-water", "volume") for row in made.book(kind)]
    known = msgspec.convert(rows, list[BOOK])  # type: ignore[misc]
    assert len(known) == len(rows)
    (mark,) = made.book("high-water")
    ranges = sorted(tuple(each) for row in made.book("log-file") for each in row["ranges"])
    assert ranges[0][0] == 1
    assert all(one[1] + 1 == other[0] for one, other in itertools.pairwise(ranges))
    assert ranges[-1][1] == mark["sequence"] == mark["began"] + 2


@limited
def test_a_quarter_of_the_volume_is_taken_at_the_beginning(made: Front) -> None:
    found = fits(made, "volume", "show", VOLUME)
    assert found["bytes_used"] == pytest.approx(0.23, abs=0.01)
    assert len(found["files"]) == 9
    assert found["seconds_to_full"] is None


@limited
def test_without_room_for_its_line_a_request_is_refused_and_goes_nowhere(made: Front) -> None:
    made.fill_up()
    refused = 0
    while (answer := made.ask())[0] == 200:  # the last page of the log has room for a few
        refused += 1
        assert refused < 40
    asked_by_then = list(made.api.asked)
    assert answer == (
        503,
        {
            "error": "LOG_UNAVAILABLE",
            "says": "the transaction log cannot be written (No space left on device): nothing was passed on",
        },
    )
    assert made.ask("/orders", "POST")[0] == 503
    assert made.api.asked == asked_by_then
    assert fits(made, "relay", "status")["refusing"]
    assert made.metrics("relay")["relay_refusing"] == 1
    assert made.healthy("relay") is False
    content = (made.volume / CURRENT).read_bytes()
    assert content.endswith(b"\n")
    assert len(list(whole(content))) == content.count(b"\n")
    (made.volume / "ballast").unlink()
    until(lambda: made.healthy("relay"))  # by itself, before anybody asks again
    assert made.ask()[0] == 200
    assert fits(made, "relay", "status")["refused"] == 2
    (mark,) = made.book("high-water")
    (current,) = [row for row in made.book("log-file") if row["id"] == CURRENT]
    assert current["ranges"] == [[mark["began"] + 1, mark["sequence"]]]
    assert current["damaged"] == 0


@limited
def test_a_debug_entry_that_finds_no_room_fails_no_request(made: Front) -> None:
    fits(made, "relay", "level", "debug")
    made.fill_up()
    statuses = {made.ask()[0] for _ in range(3)}
    assert statuses == {200}
    assert fits(made, "relay", "status")["dropped"] > 0


def test_the_raised_level_writes_about_two_kilobytes_a_request_and_no_secret(made: Front) -> None:
    assert not (made.volume / DEBUG).exists()
    assert fits(made, "relay", "level", "debug") == {
        "level": "debug", "ok": True, "exit": 0, "says": "the level is debug", "changed": True,
    }  # fmt: skip
    for _ in range(10):
        made.ask("/orders", "POST", Authorization="Bearer very-secret", Idempotency_Key="7-123456")
    size = (made.volume / DEBUG).stat().st_size
    assert 1_000 < size / 10 < 3_000
    hidden = bytes.fromhex(
        "".join(row[8:55] for row in (made.volume / DEBUG).read_text().splitlines() if row[0] == ">")
    )
    assert b"very-secret" not in hidden
    assert b"Idempotency-Key: 7-123456" in hidden
    fits(made, "relay", "level", "info")
    made.ask()
    assert (made.volume / DEBUG).stat().st_size == size
    assert not fits(made, "relay", "level", "info")["changed"]


def test_rotation_gives_the_files_other_names_and_loses_no_line(made: Front) -> None:
    fits(made, "relay", "level", "debug")
    made.ask("/1")
    renamed = fits(made, "relay", "rotate")["renamed"]
    made.ask("/2")
    assert [each.rsplit("-")[0] for each in renamed] == ["transactions", "debug"]
    assert logged(made) == ["opened anew", "GET /2"]
    assert [row["what"] for row in made.book("log-line")] == ["started", "GET /1", "opened anew", "GET /2"]
    assert (made.volume / DEBUG).stat().st_size > 0


def test_the_log_is_kept_in_order_by_itself_and_no_line_is_lost(tmp_path: Path) -> None:
    with front(tmp_path, relay=RelayConfig(rotate_bytes=1_000)) as made:
        made.done("relay", "level", "debug")
        for turn in range(8):
            for _ in range(10):
                made.ask(f"/{turn}")
            until(lambda: (made.volume / CURRENT).stat().st_size < 1_000)
        until(lambda: len(list(made.volume.glob("transactions-*"))) <= 8)
        names = sorted(each.name for each in made.volume.glob("transactions-*"))
        assert [name.endswith(".gz") for name in names] == [True] * 5 + [False] * 3
        (mark,) = made.book("high-water")
        ranges = sorted(tuple(each) for row in made.book("log-file") for each in row["ranges"])
        assert (ranges[0][0], ranges[-1][1]) == (1, mark["sequence"])
        assert all(one[1] + 1 == other[0] for one, other in itertools.pairwise(ranges))
        assert {row["id"].split("/")[0] for row in made.book("log-file")} >= {"archive", CURRENT}
        assert (made.volume / DEBUG).stat().st_size > 50_000  # nobody's but who raised the level


def test_a_removed_log_is_not_made_anew_by_housekeeping(tmp_path: Path) -> None:
    with front(tmp_path, relay=RelayConfig(rotate_bytes=1_000)) as made:
        made.done("volume", "remove", VOLUME, CURRENT)
        for _ in range(12):
            made.ask()
        time.sleep(0.6)
        assert not (made.volume / CURRENT).exists()


def test_where_no_new_file_can_be_opened_the_old_one_is_written_on(made: Front) -> None:
    (made.volume / CURRENT).rename(made.volume / "transactions-old.log")
    (made.volume / CURRENT).mkdir()
    made.control(verb="signal", service="relay", signal=int(signal.SIGHUP))
    time.sleep(0.2)
    assert made.ask("/after")[0] == 200
    lines = [line.what for line in whole((made.volume / "transactions-old.log").read_bytes())]
    assert lines == ["started", "GET /after"]


def test_a_removed_log_is_written_on_unseen_until_the_relay_lets_go(made: Front) -> None:
    """P05: no request fails, no number is used twice, and the lines are lost."""
    made.ask("/1")
    fits(made, "volume", "remove", VOLUME, CURRENT)
    assert made.ask("/2")[0] == 200
    found = made.ctl("relay", "status").facts
    (mark,) = made.book("high-water")
    assert mark["sequence"] == found["sequence"] == mark["began"] + 3
    assert made.book("log-line") == []
    fits(made, "host", "restart", "relay")
    made.ask("/3")
    assert [(row["sequence"] - mark["began"], row["what"]) for row in made.book("log-line")] == [
        (4, "started"), (5, "GET /3"),
    ]  # fmt: skip


@limited
def test_what_was_removed_and_is_held_open_is_shown(made: Front) -> None:
    fits(made, "relay", "level", "debug")
    for _ in range(60):
        made.ask("/orders", "POST")
    fits(made, "volume", "remove", VOLUME, DEBUG)
    until(lambda: made.metrics("relay")['volume_deleted_open_bytes{volume="relay-log"}'] > 65_536)
    found = fits(made, "volume", "show", VOLUME)
    assert found["deleted_open"] > 65_536
    assert [each["name"] for each in found["files"] if each["deleted"]] == [DEBUG]
    fits(made, "relay", "level", "info")  # lets go of it
    assert fits(made, "volume", "show", VOLUME)["deleted_open"] == 0


def test_a_log_that_was_emptied_in_its_place_is_written_on_and_has_a_gap(made: Front) -> None:
    made.ask("/1")
    fits(made, "volume", "truncate", VOLUME, CURRENT)
    made.ask("/2")
    assert logged(made) == ["GET /2"]
    (mark,) = made.book("high-water")
    assert made.book("log-line")[0]["sequence"] == mark["began"] + 3


def test_the_log_survives_a_restart_of_the_relay(made: Front) -> None:
    made.ask("/1")
    fits(made, "host", "restart", "relay")
    made.ask("/2")
    assert logged(made) == ["started", "GET /1", "started", "GET /2"]


def test_copies_are_moved_off_with_their_checksums_and_what_is_written_to_stays(made: Front) -> None:
    packed = sorted(each.name for each in made.volume.glob("*.gz"))
    fits(made, "volume", "copy", VOLUME, "transactions-0001[0-9]*.log")
    fits(made, "volume", "unpack", VOLUME, packed[0])
    content = gzip.decompress((made.volume / packed[0]).read_bytes())
    moved = fits(made, "volume", "move", VOLUME, "--copies")
    name = f"copy-{packed[0].removesuffix('.gz')}"
    (sha256,) = [each["sha256"] for each in moved["files"] if each["name"] == name]
    assert sha256 == hashlib.sha256(content).hexdigest()
    assert (made.folder / "evidence" / VOLUME / name).read_bytes() == content
    assert not list(made.volume.glob("copy-*"))
    refused = made.ctl("volume", "move", VOLUME, CURRENT)
    assert (refused.exit, refused.says) == (1, f"{CURRENT} is being written to: rotate it first")
    fits(made, "volume", "pack", VOLUME, "transactions-0001[0-9]*.log")
    archives = fits(made, "volume", "move", VOLUME, "transactions-*")["files"]
    assert len(archives) == 8
    ranges = [each for row in made.book("log-file") for each in row["ranges"]]
    (mark,) = made.book("high-water")
    assert max(last for _, last in ranges) == mark["sequence"]
    assert min(first for first, _ in ranges) == 1


@pytest.mark.parametrize("words", [("move", VOLUME), ("remove", VOLUME, "nothing"), ("copy", VOLUME, "../config.json")])
def test_what_makes_no_sense_is_refused(made: Front, words: tuple[str, ...]) -> None:
    assert made.ctl("volume", *words).exit == 1


# -- the edge ---------------------------------------------------------------------------------------------------------


def test_customers_who_trust_the_root_are_served_and_others_turn_away(made: Front) -> None:
    assert made.ask()[0] == 200
    with (
        pytest.raises(ssl.SSLCertVerificationError),
        contextlib.closing(made.connection(ssl.create_default_context())) as connection,
    ):
        asked(connection)
    until(lambda: made.metrics("edge")["edge_accepts_total"] >= 2)  # the vendor's scan comes as well
    assert made.metrics("edge")["edge_handshakes_good_total"] < made.metrics("edge")["edge_accepts_total"]


def test_no_session_is_resumed(made: Front) -> None:
    context = made.trusted()
    with contextlib.closing(made.connection(context)) as connection:
        asked(connection)
        session = connection.sock.session  # type: ignore[union-attr]
        assert session is None or not session.has_ticket


def test_a_renewed_certificate_is_served_once_it_is_reloaded(made: Front) -> None:
    before = fits(made, "edge", "show")
    assert before["same"]
    assert before["chain"] == 2
    with contextlib.closing(made.connection()) as kept:
        assert asked(kept)[0] == 200
        renew(made)
        replaced = fits(made, "edge", "show")
        assert not replaced["same"]  # P09: replaced is not reloaded
        assert replaced["fingerprint"] == before["fingerprint"]
        assert fits(made, "edge", "reload")["replaced"] == before["fingerprint"]
        assert fits(made, "edge", "show")["same"]
        assert asked(kept)[0] == 200  # as long as the customer keeps it
    assert made.ask()[0] == 200


@pytest.mark.parametrize("damage", ["other key", "no key", "half a certificate"])
def test_a_bad_pair_is_never_served(made: Front, tmp_path: Path, damage: str) -> None:
    served = made.done("edge", "show")["fingerprint"]
    folder = certificates.place(made.folder, USUAL)
    if damage == "other key":
        other = load(made.folder / FOLDER).issue(USUAL)
        (folder / certificates.KEY).write_bytes(other.key)
    elif damage == "no key":
        (folder / certificates.KEY).unlink()
    else:
        chain = folder / certificates.CHAIN
        chain.write_bytes(chain.read_bytes()[:200])
    refused = made.ctl("edge", "reload")
    assert refused.exit == 1
    assert "the chain of before is still served" in refused.says
    for _ in range(3):
        assert made.ask()[0] == 200
    if damage != "half a certificate":
        assert made.done("edge", "show")["fingerprint"] == served


def test_what_is_above_the_rate_limit_is_told_so_and_goes_nowhere(made: Front) -> None:
    assert fits(made, "edge", "limit", "3")["per_s"] == 3
    with contextlib.closing(made.connection()) as connection:
        answers = [asked(connection) for _ in range(8)]
    statuses = [status for status, _ in answers]
    assert statuses[:3] == [200] * 3
    assert 429 in statuses
    assert next(body for status, body in answers if status == 429) == {
        "error": "RATE_LIMITED", "says": "more than 3 requests a second: try again in a moment",
    }  # fmt: skip
    assert len(made.api.asked) == statuses.count(200)
    assert fits(made, "edge", "limit", "off")["per_s"] == 0
    assert not fits(made, "edge", "limit", "off")["changed"]
    assert {made.ask()[0] for _ in range(8)} == {200}


def test_a_connection_has_no_age_unless_it_is_given_one(made: Front, tmp_path: Path) -> None:
    with contextlib.closing(made.connection()) as connection:
        asked(connection)
        before = connection.sock
        time.sleep(0.5)
        asked(connection)
        assert connection.sock is before


def test_with_a_maximum_age_connections_are_closed_with_an_answer(tmp_path: Path) -> None:
    with (
        front(tmp_path, edge=EdgeConfig(max_connection_age_s=0.3)) as made,
        contextlib.closing(made.connection()) as connection,
    ):
        connection.request("GET", "/")
        first = connection.getresponse()
        first.read()
        time.sleep(0.3)
        connection.request("GET", "/")
        reply = connection.getresponse()
        assert (first.getheader("Connection"), reply.getheader("Connection")) == (None, "close")
        assert json.loads(reply.read()) == {"what": "GET /"}


def test_while_the_relay_is_down_nothing_goes_on_and_that_is_certain(made: Front) -> None:
    made.control(verb="signal", service="relay", signal=9)
    until(lambda: made.healthy("relay") is None)
    status, body = made.ask()
    assert (status, body["error"]) == (503, "NOT_FORWARDED")
    made.start("relay")
    assert made.ask()[0] == 200


# -- the end ----------------------------------------------------------------------------------------------------------


def test_nothing_is_left_when_who_started_it_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OF_TARGET, str(tmp_path))
    with front(tmp_path) as made:
        assert len(members(tmp_path)) >= 4  # launcher, holder, relay, edge
        made.launcher.kill()
        until(lambda: not members(tmp_path))
        assert str(tmp_path) not in Path("/proc/self/mounts").read_text()
