"""Errors of our own parts are told apart from what the other side does, in exceptions and in logs."""

from __future__ import annotations

import errno
import os
import resource
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from targets.accounts import Account, account, accounts, counted
from targets.own_errors import MARK, kind_of, raise_if_own, tell
from targets.target import OwnPart, TargetError
from targets.toxiproxy import ProxyError, ToxiproxyClient


@contextmanager
def no_descriptors() -> Iterator[None]:
    """Inside, this process can open nothing more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    probe = os.open(os.devnull, os.O_RDONLY)
    os.close(probe)
    resource.setrlimit(resource.RLIMIT_NOFILE, (probe, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# -- exceptions -------------------------------------------------------------------------------------------------------


def test_a_real_want_of_descriptors_is_ours_also_behind_another_error() -> None:
    with no_descriptors(), pytest.raises(OSError, match="Too many open files") as plain:
        socket.socket()
    assert kind_of(plain.value) == "too many open files"
    client = ToxiproxyClient("127.0.0.1", 9)
    with pytest.raises(TargetError):
        client.proxies()  # libraries import what they need at the first call
    with no_descriptors(), pytest.raises(TargetError) as behind:
        client.proxies()
    assert kind_of(behind.value) == "too many open files"
    with pytest.raises(ProxyError):
        raise_if_own(behind.value)


def test_the_same_call_refused_by_the_other_side_is_not() -> None:
    with pytest.raises(TargetError) as refused:
        ToxiproxyClient("127.0.0.1", 9).proxies()
    assert isinstance(refused.value.__cause__, requests.ConnectionError)
    assert kind_of(refused.value) is None
    raise_if_own(refused.value)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(errno.ENFILE, "x"), "too many open files in system"),
        (OSError(errno.ENOMEM, "x"), "out of memory"),
        (OSError(errno.ENOBUFS, "x"), "no buffer space"),
        (OSError(errno.EADDRNOTAVAIL, "x"), "no free local port"),
        (OSError(errno.ENOSPC, "x"), "disk full"),
        (MemoryError(), "out of memory"),
        (RuntimeError("can't start new thread"), "no new thread"),
        (ExceptionGroup("tasks", [ValueError(), OSError(errno.EMFILE, "x")]), "too many open files"),
    ],
)
def test_what_our_own_machine_refuses_is_ours(error: BaseException, kind: str) -> None:
    assert kind_of(error) == kind


@pytest.mark.parametrize(
    "error",
    [
        *(OSError(number, os.strerror(number)) for number in (
            errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH,
            errno.ECONNABORTED, errno.EADDRINUSE, errno.EACCES,
        )),
        TimeoutError("timed out"),
        TargetError("GET /healthz answered 500: too many open files"),
        RuntimeError("the service said: out of memory"),
        ssl.SSLError(errno.ENOMEM, "an alert of the other side whose number happens to be this"),
        socket.gaierror(errno.EMFILE, "as if"),
        KeyError("a bug, which is for others to count"),
    ],
    ids=repr,
)  # fmt: skip
def test_what_the_other_side_does_or_says_is_not(error: BaseException) -> None:
    assert kind_of(error) is None


# -- logs -------------------------------------------------------------------------------------------------------------

REAL = (
    '{"level":"error","name":"a","error":"dial tcp 127.0.0.1:18500: socket: too many open files",'
    '"message":"Unable to open connection to upstream"}',
    '{"level":"warn","name":"a","error":"accept tcp 127.0.0.1:18501: accept4: too many open files",'
    '"message":"Error while accepting client"}',
    '{"level":"error","error":"dial tcp 127.0.0.1:1: connect: cannot assign requested address",'
    '"message":"Unable to open connection to upstream"}',
    '{"level":"warn","error":"accept tcp 127.0.0.1:18501: something odd","message":"Error while accepting client"}',
    '2026/11/29 21:15:58 http: Accept error: accept tcp 127.0.0.1:8474: accept4: too many open files; retrying in 5ms',
    "panic: runtime error: index out of range [3] with length 3",
)  # fmt: skip


def test_the_errors_of_a_real_toxiproxy_are_counted_by_kind() -> None:
    found = counted(REAL)
    assert found.counts == {"too many open files": 3, "no free local port": 1, "unhandled error": 2}
    assert found.first == "Unable to open connection to upstream: dial tcp 127.0.0.1:18500: socket: too many open files"


@pytest.mark.parametrize(
    "line",
    [
        '{"level":"error","error":"dial tcp 127.0.0.1:1: connect: connection refused",'
        '"message":"Unable to open connection to upstream"}',
        '{"level":"error","error":"dial tcp: lookup api on 127.0.0.11:53: no such host",'
        '"message":"Unable to open connection to upstream"}',
        '{"level":"warn","error":"read tcp 127.0.0.1:1->127.0.0.1:2: read: connection reset by peer",'
        '"message":"Source terminated"}',
        '{"level":"warn","error":"write tcp 127.0.0.1:1: write: broken pipe",'
        '"message":"Could not write to destination"}',
        '{"level":"info","name":"too many open files","message":"Accepted client"}',
        '{"level":"debug","user_agent":"panic: too many open files","message":""}',
        '{"level":"error","error":"dial tcp 127.0.0.1:1: socket: too many open fi',
        "proxy a: no connection to 127.0.0.1:1: [Errno 111] Connection refused",
        "a service of the target says: own error: too many open files",
        "accept4: too many open files",
        "",
    ],
)
def test_a_line_that_tells_of_the_other_side_or_only_looks_like_it_counts_for_nothing(line: str) -> None:
    assert counted([line]) == Account()


def test_what_a_part_tells_of_itself_is_read_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tell("too many open files", OSError(errno.EMFILE, "over\ntwo lines"))
    tell("out of memory", "x")
    log = tmp_path / "log"
    log.write_text("127.0.0.1:8474\n" + capsys.readouterr().err)
    assert log.read_text().splitlines()[1] == f"{MARK}too many open files: [Errno 24] over two lines"
    found = account(log)
    assert (found.counts, found.first) == ({"too many open files": 1, "out of memory": 1}, "[Errno 24] over two lines")


def test_a_part_that_ended_or_was_replaced_says_so_and_one_without_a_log_says_nothing(tmp_path: Path) -> None:
    log, none = tmp_path / "log", tmp_path / "none"
    log.write_text("")
    before = [OwnPart("launcher", 7, log), OwnPart("proxy", 8, log), OwnPart("other", 9, log), OwnPart("mute", 6, none)]
    after = [OwnPart("launcher", 7, log), OwnPart("proxy", 88, log), OwnPart("other", None, log)]
    told = {part: found.counts for part, found in accounts(before, after)}
    assert told == {"launcher": {}, "proxy": {"started anew": 1}, "other": {"ended by itself": 1}}


def test_telling_needs_no_descriptor() -> None:
    code = """
import resource, socket, sys
from targets.own_errors import kind_of, tell
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
try:
    socket.socket()
except OSError as error:
    tell(kind_of(error), error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert counted(done.stderr.splitlines()).counts == {"too many open files": 1}
