"""What the pager keeps of the messages it is sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.types import Message as Event

from targets.brokerage.pager.service import Book, Message, Pager


def message(*alerts: tuple[str, str, str]) -> dict[str, Any]:
    """Of (fingerprint, status, startsAt)."""
    rows = [
        {
            "fingerprint": mark,
            "status": status,
            "startsAt": since,
            "endsAt": "",
            "labels": {"alertname": mark},
            "generatorURL": "ignored",
        }
        for mark, status, since in alerts
    ]
    return {"version": "4", "receiver": "pager", "status": "firing", "groupKey": "ignored", "alerts": rows}


def keep(book: Book, t_ns: int, *alerts: tuple[str, str, str]) -> list[tuple[int, str, str, int]]:
    kept = book.keep(msgspec.convert(message(*alerts), Message), t_ns)
    return [(page.n, page.fingerprint, page.status, page.t_ns) for page in kept]


@pytest.fixture
def book(tmp_path: Path) -> Any:
    book = Book(tmp_path / "pager.jsonl")
    yield book
    book.close()


def test_changes_are_kept_and_repeats_are_not(book: Book) -> None:
    assert keep(book, 1, ("a", "firing", "1")) == [(0, "a", "firing", 1)]
    assert keep(book, 2, ("a", "firing", "1")) == []
    assert keep(book, 3, ("a", "firing", "1"), ("b", "firing", "2")) == [(1, "b", "firing", 3)]
    assert keep(book, 4, ("a", "resolved", "1")) == [(2, "a", "resolved", 4)]
    assert keep(book, 5, ("a", "firing", "5")) == [(3, "a", "firing", 5)]


def test_rows_survive_a_restart_and_a_row_cut_off_does_not(book: Book, tmp_path: Path) -> None:
    keep(book, 1, ("a", "firing", "1"), ("b", "firing", "1"))
    path = tmp_path / "pager.jsonl"
    path.write_bytes(path.read_bytes() + b'{"n":2,"t_ns"')
    again = Book(path)
    assert [page.fingerprint for page in again.pages] == ["a", "b"]
    assert keep(again, 2, ("a", "firing", "1"), ("c", "firing", "2")) == [(2, "c", "firing", 2)]
    again.close()
    assert [json.loads(line)["n"] for line in path.read_text().splitlines()] == [0, 1, 2]


def ask(pager: Pager, method: str, path: str, body: bytes = b"") -> tuple[int, Any]:
    """One request to the application, without a network."""
    sent: list[Event] = []

    async def receive() -> Event:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(event: Event) -> None:
        sent.append(event)

    bare, _, query = path.partition("?")
    scope = {"type": "http", "method": method, "path": bare, "query_string": query.encode(), "headers": []}
    app: Callable[..., Any] = Starlette(routes=list(pager.routes()))
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], json.loads(b"".join(event.get("body", b"") for event in sent))


def test_over_http(book: Book) -> None:
    pager = Pager(book)
    body = json.dumps(message(("a", "firing", "1"), ("b", "resolved", "1"))).encode()
    assert ask(pager, "POST", "/webhook", body) == (200, {"kept": 2})
    status, rows = ask(pager, "GET", "/alerts?after=1")
    assert (status, [(row["n"], row["labels"], row["status"]) for row in rows]) == (
        200,
        [(1, {"alertname": "b"}, "resolved")],
    )
    assert rows[0]["t_ns"] > 0
    assert ask(pager, "GET", "/alerts?after=9") == (200, [])
    assert ask(pager, "GET", "/alerts?after=-1")[0] == 400


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"version":"3","receiver":"x","alerts":[]}', b'{"alerts":[{}]}', b"\xff"]
)
def test_what_is_no_webhook_is_refused_and_not_kept(book: Book, body: bytes) -> None:
    status, _ = ask(Pager(book), "POST", "/webhook", body)
    assert (status, book.pages) == (400, [])
