"""Messages really sent by apprise to a webhook on this machine, tried again, and never the cause of a failure."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from drills.schedule import notify
from drills.schedule.notify import EXTRA, NOT_TAKEN, PAUSES_S, Message, send

MESSAGE = Message("訓練終了: night（想定どおり）", "<b>night</b> & 合格\nline two")


@dataclass
class Hook:
    """A webhook: which bodies came, and what it answers to each."""

    answers: list[int] = field(default_factory=list)
    came: list[dict[str, object]] = field(default_factory=list)
    port: int = 0

    @property
    def address(self) -> str:
        return f"json://user:hunter22@127.0.0.1:{self.port}/hooks/T0PSECRET"


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made.came.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(made.answers.pop(0) if made.answers else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield made
        server.shutdown()
        thread.join()


@pytest.fixture
def pauses() -> list[float]:
    return []


def test_a_message_arrives_as_it_is(hook: Hook, pauses: list[float]) -> None:
    assert send(hook.address, MESSAGE, sleep=pauses.append) is None
    (came,) = hook.came
    assert (came["title"], came["message"]) == (MESSAGE.title, MESSAGE.body)
    assert pauses == []


def test_a_file_goes_with_it(hook: Hook, tmp_path: Path, pauses: list[float]) -> None:
    card = tmp_path / "scorecard.json"
    card.write_text("{}")
    assert send(hook.address, Message("a", "b", (card,)), sleep=pauses.append) is None
    assert "scorecard.json" in json.dumps(hook.came[0]["attachments"])


def test_a_receiver_that_fails_is_tried_again(hook: Hook, pauses: list[float]) -> None:
    hook.answers = [500, 503]
    assert send(hook.address, MESSAGE, sleep=pauses.append) is None
    assert len(hook.came) == 3
    assert pauses == list(PAUSES_S)


def test_a_dead_receiver_is_a_problem_in_words_without_the_secrets(hook: Hook, pauses: list[float]) -> None:
    hook.answers = [500] * 3
    problem = send(hook.address, MESSAGE, sleep=pauses.append)
    assert problem is not None
    assert "500" in problem or "error" in problem.lower()
    assert "T0PSECRET" not in problem
    assert "hunter22" not in problem
    assert len(hook.came) == 3


def test_receivers_told_at_once_have_each_a_problem_of_its_own(hook: Hook) -> None:
    hook.answers = [500] * 9
    addresses = [hook.address, "json://127.0.0.1:9/T1PSECRET", hook.address.replace("T0P", "T2P")]
    with ThreadPoolExecutor(3) as pool:
        said = list(pool.map(lambda each: send(each, MESSAGE, sleep=lambda _: None), addresses))
    assert ["500" in str(each) for each in said] == [True, False, True]
    assert not any("PSECRET" in str(each) for each in said)


def test_nobody_listens_there(pauses: list[float]) -> None:
    problem = send("json://127.0.0.1:9/T0PSECRET", MESSAGE, sleep=pauses.append)
    assert problem is not None
    assert "T0PSECRET" not in problem


def test_an_address_that_is_none_is_not_tried_again(pauses: list[float]) -> None:
    assert send("nosuch://desk", MESSAGE, sleep=pauses.append) == NOT_TAKEN
    assert pauses == []


def test_without_the_extra_it_says_how_to_get_it(pauses: list[float]) -> None:
    assert send("json://127.0.0.1:9", MESSAGE, post=lambda address, message: EXTRA, sleep=pauses.append) == EXTRA
    assert "kunren[calendar]" in EXTRA
    assert pauses == []


def test_whatever_a_plug_in_raises_is_a_problem(monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> None:
    import apprise

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("plug-in of somebody else")

    monkeypatch.setattr(apprise.Apprise, "notify", broken)
    assert send("json://127.0.0.1:9", MESSAGE, sleep=pauses.append) == "RuntimeError: plug-in of somebody else"


def test_a_part_of_an_address_is_not_repeated() -> None:
    said = notify.send("x://hook/T0PSECRET", MESSAGE, post=lambda a, m: f"cannot post to {a}", sleep=lambda _: None)
    assert said == "cannot post to x://…/…"
