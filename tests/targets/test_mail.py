"""Notices on their way: out of the outbox, through the spool, delivered by the agent; each once, none lost unseen."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drills.domains.registry import DOMAINS
from targets.brokerage import brokerctl
from targets.brokerage import config as brokerage
from targets.brokerage.books import read_book
from targets.brokerage.mail.component import RESERVE, SPOOL
from targets.brokerage.mail.spool import name_of, waiting, write_notice
from targets.brokerage.mta.books import read_delivered
from targets.brokerage.mta.service import REFUSED, deliver
from targets.brokerage.operations.outcome import CommandResult
from targets.brokerage.operations.tool import TOOL
from targets.brokerage.volumes import keeping

from .ports import free_ports
from .shapes import misfits
from .stack import Database, make_config
from .test_posting import Desk

SERVE = """
import importlib, socket, sys
from pathlib import Path
from targets.brokerage import config
from targets.brokerage.volumes import keeping
stack = config.load(Path(sys.argv[1]))
keeping.join(Path(stack.folder))
part = importlib.import_module(sys.argv[3])
part.serve(stack, {sys.argv[2]: socket.create_server(("127.0.0.1", stack.ports[sys.argv[2]]))})
"""
MODULES = {"mail": "targets.brokerage.mail.process", "mta": "targets.brokerage.mta.service"}
BOOK = DOMAINS.books["spool"]
BODY = {"exec_id": "E-1", "account": "C-0001"}
OF_MAIL = (("mail", "show"), ("mail", "spool", "mail-reserve"), ("mail", "resend", "missing"), ("mail", "mark-sent"))
limited = pytest.mark.skipif(not keeping.way(), reason="no limited volume here")


def test_a_notice_is_written_once(tmp_path: Path) -> None:
    assert write_notice(tmp_path, "E-1.json", BODY)
    assert not write_notice(tmp_path, "E-1.json", BODY)
    assert [path.name for path in tmp_path.iterdir()] == ["E-1.json"]
    assert [path.name for path in waiting(tmp_path)] == ["E-1.json"]


def test_a_volume_that_refuses_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        write_notice(tmp_path / "missing", "E-1.json", BODY)


def test_what_is_sent_anew_has_a_name_of_its_own() -> None:
    assert (name_of("E-1", 1), name_of("E-1", 2)) == ("E-1.json", "E-1.2.json")


def test_a_name_is_delivered_once_and_leaves_the_spool(tmp_path: Path) -> None:
    spool, delivered = tmp_path / "spool", tmp_path / "delivered"
    for folder in (spool, delivered):
        folder.mkdir()
    for expected in (True, False):
        write_notice(spool, "E-1.json", BODY)
        assert deliver(spool / "E-1.json", delivered, 5) is expected
    write_notice(spool, "E-1.2.json", BODY)
    assert deliver(spool / "E-1.2.json", delivered, 6)
    assert not deliver(spool / "E-9.json", delivered, 7)
    assert list(spool.iterdir()) == []
    found = [(row["id"], row["key"], row["t_ns"]) for row in read_delivered(delivered)]
    assert found == [("E-1.2.json", "E-1", 6), ("E-1.json", "E-1", 5)]


def test_what_is_no_notice_stays_under_another_name(tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text("{")
    assert not deliver(tmp_path / "odd.json", tmp_path / "delivered", 5)
    assert (tmp_path / f"odd.json{REFUSED}").read_text() == "{"
    assert waiting(tmp_path) == []


def get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as reply:
        text: str = reply.read().decode()
        return text


def until(so: Callable[[], bool]) -> None:
    for _ in range(1000):
        with contextlib.suppress(OSError, urllib.error.URLError):
            if so():
                return
        time.sleep(0.02)
    pytest.fail("it did not come about")


@dataclass
class Post:
    """The two services on the volumes of a holder, where this machine has any."""

    config: brokerage.Config
    database: Database
    desk: Desk
    parts: dict[str, subprocess.Popen[bytes]]

    def start(self, name: str) -> None:
        folder = self.config.folder
        with (Path(folder) / f"{name}.log").open("ab") as log:
            argv = [sys.executable, "-c", SERVE, folder, name, MODULES[name]]
            self.parts[name] = subprocess.Popen(argv, stdout=log, stderr=log)
        until(lambda: bool(get(self.config.ports[name], "/healthz")))

    def stop(self, name: str) -> None:
        part = self.parts.pop(name)
        part.send_signal(signal.SIGCONT)
        part.send_signal(signal.SIGTERM)
        assert part.wait(10) == 0

    def trade(self, *executions: str, late: bool = False) -> None:
        _, _, cl_ord_id, _ = self.desk.place(executions[0])
        for each in executions:
            self.desk.trade(each, cl_ord_id, 1, late=late)

    def states(self) -> dict[str, str]:
        return dict(self.database.rows("SELECT exec_id, state FROM outbox"))

    def delivered(self) -> list[str]:
        return [row["id"] for row in read_book(self.config, "notices")]

    def spool(self, name: str = SPOOL.name) -> Path:
        return keeping.reached(Path(self.config.folder), name)

    def run(self, *words: str) -> CommandResult:
        argv = ["--stack", self.config.folder, "--role", "operator", "--env", "drill", *words]
        outcome = brokerctl.run(argv)
        command = TOOL.command(["brokerctl", *words])
        assert command is not None
        assert outcome.exit or misfits(command.reply, outcome.as_json()) == [], words
        return outcome

    def shown(self) -> dict[str, Any]:
        return dict(self.run("mail", "show").facts)


@pytest.fixture
def post(tmp_path: Path, database: Database) -> Iterator[Post]:
    mail, mta = free_ports(2)
    config = make_config(tmp_path, {"mail": mail, "mta": mta, "postgres": database.port}, {})
    brokerage.save(config)
    keeping.prepare(tmp_path)
    made = Post(config, database, Desk(database), {})
    with subprocess.Popen(keeping.command(config)) as holder:
        try:
            until(lambda: keeping.kept(tmp_path))
            made.start("mta")
            made.start("mail")
            yield made
        finally:
            for part in made.parts.values():
                part.kill()
                part.wait()
            holder.kill()


def test_what_is_pending_is_delivered_and_what_is_held_is_not(post: Post) -> None:
    post.trade("E-1")
    post.trade("E-2", late=True)
    until(lambda: post.delivered() == ["E-1.json"])
    until(lambda: post.states() == {"E-1": "sent", "E-2": "held"})
    post.database.rows("UPDATE outbox SET state = 'pending'")  # both again: the first was delivered already
    until(lambda: set(post.states().values()) == {"sent"} and not waiting(post.spool()))
    assert post.delivered() == ["E-1.json", "E-2.json"]
    body = json.loads((Path(post.config.folder) / "delivered" / "E-1.json").read_text())
    assert (body["account"], body["quantity"]) == ("C-0001", 1)
    post.stop("mail")
    post.stop("mta")


def test_while_the_agent_hangs_notices_wait_in_the_spool(post: Post) -> None:
    post.parts["mta"].send_signal(signal.SIGSTOP)
    post.trade("E-1", "E-2", "E-3")
    until(lambda: set(post.states().values()) == {"sent"})
    shown = post.shown()
    assert (shown["waiting"], shown["agent"], shown["missing"], shown["volume"]) == (3, "silent", None, SPOOL.name)
    assert post.delivered() == []
    post.parts["mta"].send_signal(signal.SIGCONT)
    until(lambda: len(post.delivered()) == 3)
    until(lambda: post.shown()["waiting"] == 0)
    assert (post.shown()["agent"], post.shown()["missing"]) == ("answers", 0)


def test_what_was_removed_from_the_spool_is_found_missing_and_sent_once_more(post: Post) -> None:
    post.parts["mta"].send_signal(signal.SIGSTOP)
    post.trade("E-1", "E-2", "E-3")
    until(lambda: len(waiting(post.spool())) == 3)
    post.run("volume", "remove", SPOOL.name, "E-1.json", "E-2.json")
    post.parts["mta"].send_signal(signal.SIGCONT)
    until(lambda: post.delivered() == ["E-3.json"])
    assert post.shown()["missing"] == 2  # though the outbox says that all were sent
    assert post.run("mail", "resend", "missing").facts["resent"] == 2
    until(lambda: len(post.delivered()) == 3)
    assert post.run("mail", "resend", "missing").changed is False


def test_what_is_no_notice_is_put_aside_once_and_holds_up_nothing(post: Post) -> None:
    stray = post.spool() / "E-0.json"
    stray.write_bytes(b"no JSON")
    post.trade("E-1")
    until(lambda: post.delivered() == ["E-1.json"])
    until(lambda: not stray.exists())
    assert (post.spool() / f"E-0.json{REFUSED}").read_bytes() == b"no JSON"


def test_all_since_an_instant_are_delivered_twice(post: Post) -> None:
    post.trade("E-1", "E-2")
    until(lambda: len(post.delivered()) == 2)
    assert post.run("mail", "resend", "all", "--since", "0").facts["resent"] == 2
    until(lambda: post.delivered() == ["E-1.2.json", "E-1.json", "E-2.2.json", "E-2.json"])
    assert post.run("mail", "resend", "all").exit == 1
    assert post.run("mail", "resend", "missing", "--since", "5s").exit == 1


@limited
def test_a_full_spool_refuses_until_notices_go_to_the_reserve(post: Post) -> None:
    post.parts["mta"].send_signal(signal.SIGSTOP)
    spool, number = post.spool(), 0
    with contextlib.suppress(OSError):
        while True:
            (spool / f"other-{number}").touch()
            number += 1
    post.trade("E-1", "E-2")
    until(lambda: post.shown()["refusing"])
    assert post.states() == {"E-1": "pending", "E-2": "pending"}
    with pytest.raises(urllib.error.HTTPError, match="503"):
        get(post.config.ports["mail"], "/healthz")
    assert post.run("volume", "show", SPOOL.name).facts["inodes_used"] == 1
    assert post.run("mail", "spool", RESERVE.name).changed
    until(lambda: len(waiting(post.spool(RESERVE.name))) == 2)
    assert not post.run("mail", "spool", RESERVE.name).changed
    assert post.run("mail", "spool", "elsewhere").exit == 1
    post.stop("mail")
    post.start("mail")
    assert post.shown()["volume"] == RESERVE.name  # it outlives a restart
    post.parts["mta"].send_signal(signal.SIGCONT)
    until(lambda: len(post.delivered()) == 2)
    rows = [row for row in read_book(post.config, "spool") if row["refusing"]]
    assert rows[0]["inodes_free"] == 0
    assert rows[0]["pending"] == 2


@limited
def test_notices_that_wait_and_are_written_off_never_come(post: Post) -> None:
    spool = post.spool()
    with contextlib.suppress(OSError):
        for number in range(SPOOL.inodes):
            (spool / f"other-{number}").touch()
    post.trade("E-1")
    until(lambda: post.shown()["refusing"])
    assert post.run("mail", "mark-sent").facts["marked"] == 1
    assert post.shown()["missing"] == 1
    assert post.delivered() == []


@limited
def test_the_book_has_the_rows_that_its_domain_knows(post: Post) -> None:
    until(lambda: len(read_book(post.config, "spool")) > 1)
    rows = read_book(post.config, "spool")
    known = msgspec.convert(rows, list[BOOK])  # type: ignore[misc]
    assert [row["n"] for row in rows] == list(range(len(known)))
