from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from targets.brokerage import config as brokerage
from targets.brokerage.books import read_book
from targets.brokerage.mail.books import read_spool
from targets.brokerage.mail.service import write_notice

from .ports import free_ports
from .stack import Database, make_config
from .test_posting import Desk

SERVE = """
import socket, sys
from pathlib import Path
from targets.brokerage import config
from targets.brokerage.mail import service
stack = config.load(Path(sys.argv[1]))
service.serve(stack, {"mail": socket.create_server(("127.0.0.1", stack.ports["mail"]))})
"""


def test_a_notice_is_written_once(tmp_path: Path) -> None:
    body = {"exec_id": "E-1", "account": "C-0001"}
    assert write_notice(tmp_path, body, 5)
    assert not write_notice(tmp_path, body, 6)
    assert read_spool(tmp_path) == [{"kind": "notice", "t_ns": 5, "id": "E-1.json", "key": "E-1", "account": "C-0001"}]
    assert [path.name for path in tmp_path.iterdir()] == ["E-1.json"]


def test_a_volume_that_refuses_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        write_notice(tmp_path / "missing", {"exec_id": "E-1"}, 5)


def get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as reply:
        text: str = reply.read().decode()
        return text


def wait_healthy(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(500):
        assert process.poll() is None
        try:
            get(port, "/healthz")
        except (OSError, urllib.error.URLError):
            time.sleep(0.02)
        else:
            return
    pytest.fail("mail did not get healthy")


def test_the_spool_delivers_what_is_pending_and_leaves_what_is_held(tmp_path: Path, database: Database) -> None:
    (port,) = free_ports(1)
    brokerage.save(make_config(tmp_path, {"mail": port, "postgres": database.port}, {}))
    desk = Desk(database)
    _, _, cl_ord_id, _ = desk.place("k")
    desk.trade("E-1", cl_ord_id, 100)
    desk.trade("E-2", cl_ord_id, 100, late=True)
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(tmp_path)], stdout=log, stderr=log)
    try:
        wait_healthy(port, process)
        while "mail_notices_total 1.0" not in get(port, "/metrics"):
            time.sleep(0.02)
        assert read_book(brokerage.load(tmp_path), "notices")[0]["key"] == "E-1"
        assert dict(database.rows("SELECT exec_id, state FROM outbox")) == {"E-1": "sent", "E-2": "held"}
        database.rows("UPDATE outbox SET state = 'pending'")  # both again: the first is there already
        while database.rows("SELECT count(*) FROM outbox WHERE state <> 'sent'") != [(0,)]:
            time.sleep(0.02)
        assert len(read_spool(tmp_path / "spool")) == 2
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        log.close()
    body = json.loads((tmp_path / "spool" / "E-1.json").read_text())
    assert (body["account"], body["quantity"]) == ("C-0001", 100)
