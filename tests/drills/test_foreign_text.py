"""Nothing that a terminal would obey comes from a file, a reply or a log, whichever verb prints it."""

from __future__ import annotations

import io
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table
from rich.text import Text

from drills import cli
from drills.cards import judge
from drills.commands.common import PlainConsole, say, say_line
from drills.execution.events import (
    AlertReceived,
    Forecast,
    Level,
    PhaseChanged,
    RunEvent,
    Sampled,
    StepEnded,
)
from drills.exits import complain
from drills.record.encoding import encode, encode_indented
from drills.record.folder import card_bytes, write_card
from drills.spec.files import CATALOGUE
from reports.cells import print_table
from reports.live import Screen
from targets.visible import visible, visible_line

GOLDEN = Path(__file__).parents[1] / "golden"

OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
OUR_STYLES = re.compile(r"\x1b\[[\d;]*m")
OUR_LIVE = re.compile(r"\x1b\[(\?25[hl]|\d*[AK]|2K)|\r")
"""How the live view moves: cursor hidden and shown, lines up, a line cleared, back to its start."""

HOSTILE = "quiet\x1b[2K\rPASSED \x1b]0;owned\x1b\\ \x9b31m\x85\x07\x08\x00\t\u202ekcart\u2066\u061c\u200f\u2028.\udcff"
SHOWN = r"quiet\x1b[2K\x0dPASSED \x1b]0;owned\x1b\ \x9b31m\x85\x07\x08\x00\x09\u202ekcart\u2066\u061c\u200f\u2028.\xff"

ANY = st.text(alphabet=st.characters(), max_size=60) | st.text("\x00\x07\x1b[]m\r\n\x9b\u202e[/]ab訓", max_size=40)


def clean(printed: str) -> bool:
    """Nothing but newlines and our own styles."""
    return OBEYED.search(OUR_STYLES.sub("", printed)) is None


# -- the function ---------------------------------------------------------------------------------------------------


def test_it_is_shown_as_escapes() -> None:
    assert visible(HOSTILE) == SHOWN
    assert visible("two\nlines") == "two\nlines"
    assert visible_line("two\nlines") == r"two\x0alines"


@given(ANY)
def test_nothing_obeyed_is_left_and_nothing_else_touched(text: str) -> None:
    shown = visible(text)
    assert OBEYED.search(shown) is None
    assert visible(shown) == shown
    assert shown == "".join(visible(each) if OBEYED.match(each) else each for each in text)
    assert "\n" not in visible_line(text)


@given(st.text("abcXYZ 0-9 訓練é·—✓█▕😀\n", max_size=60))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


# -- what prints ------------------------------------------------------------------------------------------------------


def terminal() -> tuple[PlainConsole, io.StringIO]:
    into = io.StringIO()
    made = PlainConsole(
        file=into, force_terminal=True, color_system="truecolor", width=60, height=20, highlight=False, markup=False,
        emoji=False, _environ={},
    )  # fmt: skip
    return made, into


def printed_by(draw: Callable[[Console], None]) -> str:
    out, into = terminal()
    draw(out)
    return into.getvalue()


@given(ANY)
def test_whatever_a_console_is_given(text: str) -> None:
    table = Table(text, "title", box=None)
    table.add_row(text, Text(text, "red"))
    for draw in (
        lambda out: out.print(text),
        lambda out: out.print(text, style="red", soft_wrap=True),
        lambda out: out.print(Text(text, "bold red"), soft_wrap=True),
        lambda out: out.print(Text.assemble((text, "dim"), text)),
        lambda out: out.print(table),
        lambda out: print_table(out, table),
    ):  # type: Callable[[Console], None]
        assert clean(printed_by(draw))


def test_a_console_shows_it_and_reads_no_markup() -> None:
    assert printed_by(lambda out: out.print(HOSTILE, soft_wrap=True)) == f"{SHOWN}\n"
    link = "[link=http://evil]here[/link] [/nothing] :smile:"
    assert printed_by(lambda out: out.print(link)) == f"{link}\n"


def test_columns_stay_straight() -> None:
    table = Table("a", "b", box=None, pad_edge=False)
    table.add_row("\x1b\x1b", "end")
    table.add_row(r"\x1b\x1b", "end")
    rows = printed_by(lambda out: print_table(out, table)).splitlines()
    assert OUR_STYLES.sub("", rows[1]) == OUR_STYLES.sub("", rows[2])


@given(ANY)
def test_complaints_and_plain_words(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        into = io.StringIO()
        patch.setattr(sys, "stderr", into)
        patch.setattr(sys, "stdout", into)
        complain(text)
        say(text)
        say_line(text)
    assert clean(into.getvalue())


def pictures(text: str) -> Iterator[RunEvent]:
    """All that the live view shows, each word of it foreign."""
    yield Forecast(text, text, 7, 60.0)
    yield PhaseChanged(0, text, 5.0)
    yield Sampled(0, text, None, 1, {text: Level(60.0, None)}, (text,), ((text, "running"), (text, text)), ())
    yield AlertReceived(0, text, text, text, text, text)
    yield StepEnded(0, text, text)


@pytest.mark.parametrize("is_terminal", [True, False])
@given(text=ANY)
def test_the_live_view(is_terminal: bool, text: str) -> None:
    out, into = terminal() if is_terminal else (PlainConsole(file=(plain := io.StringIO()), width=60), plain)
    with Screen(out) as screen:
        for event in pictures(text):
            screen(event)
    assert clean(OUR_LIVE.sub("", into.getvalue()))


# -- JSON -------------------------------------------------------------------------------------------------------------


@given(ANY)
def test_json_stays_json(text: str) -> None:
    document = {"title": text, text: [text]}
    whole = encode_indented(document).decode()
    assert OBEYED.search(whole) is None
    assert encode(document).count(b"\n") == 0
    as_text = text if text.isascii() or not re.search("[\ud800-\udfff]", text) else visible(text)
    assert json.loads(whole) == {"title": as_text, as_text: [as_text]}


# -- the verbs --------------------------------------------------------------------------------------------------------


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """``kunren ARGV…`` on a terminal with colours: all that it printed, which is clean."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUNREN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.delenv("NO_COLOR", raising=False)

    def kunren(*argv: object) -> str:
        monkeypatch.setattr(sys, "argv", ["kunren", *map(str, argv)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        assert ended.value.code in (0, 1, 2, 3), said.err
        assert clean(said.out), ascii(said.out)
        assert clean(said.err), ascii(said.err)
        return said.out + said.err

    return kunren


PAGE = CATALOGUE / "exchange-link-down" / "runbook.yaml"


def test_a_page(call: Callable[..., str], tmp_path: Path) -> None:
    page = tmp_path / "evil.yaml"
    words = json.dumps(HOSTILE.replace("\udcff", "").replace("\x00", ""))
    lines = PAGE.read_text().splitlines()
    lines[1] = f"title: {{en: {words}, ja: {words}}}"
    page.write_text("\n".join(lines) + "\n")
    assert r"quiet\x1b[2K\x0dPASSED \x1b]0;owned" in call("runbook", "show", page)
    assert r"\u202ekcart" in call("runbook", "show", page, "--lang", "ja")


FILES = [
    'drill: x\n"k\\e[31mey": 1\n',
    'drill: "x\\e[2J\\u202e"\nload: "\\e[31mreading"\n',
    'drill: x\nbaseline: "\\e[2J\\e[H5s"\n',
    "dr\x1b[31mill: x\n",
    "drill: x\r\x1b[31m: y\n",
    'runbook: x\ntitle: {en: "\\r\\x9b31m", ja: b}\n"\\e[31m": 1\n',
    'target: x\n"\\u2066\\e": 1\nservices: {"\\e[31mweb": {start: ["\\r"]}}\n',
]


@pytest.mark.parametrize("content", FILES)
def test_what_is_wrong_with_a_file(call: Callable[..., str], tmp_path: Path, content: str) -> None:
    file = tmp_path / "evil.yaml"
    file.write_text(content, newline="")
    verbs = ("lint", "run", "verify", "runbook show", "lint --target", "run --all --target", "target up --target")
    for verb in verbs:
        assert call(*verb.split(), file)


def test_a_message_of_lint_is_one_line(call: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "evil.yaml").write_text('drill: x\n"k\\ney.yaml:1: nothing": 1\n')
    said = call("lint", tmp_path / "evil.yaml")
    assert all(line.startswith(f"{tmp_path}/evil.yaml:") for line in said.splitlines())


ARGUMENTS = [
    *("list --lang {}", "list --runs {}", "check {}", "compare {} {}", "run {}", "heal {}", "schema {}", "{}", "--{}"),
    *("run exchange-link-down --arm {}", "run exchange-link-down --proxy {}", "run exchange-link-down --json {}/x"),
    *("run exchange-link-down --target {}", "runbook show {}", "sign --new-key {}/x"),
]


@pytest.mark.parametrize("argv", ARGUMENTS)
def test_an_argument(call: Callable[..., str], argv: str) -> None:
    hostile = "x\x1b[31m\r\u202e\x9b\udcff"
    assert call(*(word.format(hostile) for word in argv.split()))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run whose drill, alerts, steps and machine speak to the terminal."""
    made = Path(shutil.copytree(GOLDEN / "fail-objective", tmp_path / "runs" / "made-up" / "20261122T100600.250Z-x-7"))
    (made / "SHA256SUMS").unlink()
    words = HOSTILE.replace("\udcff", "")
    record = json.loads((made / "run.json").read_text())
    record["plan"]["title"] = {"en": words, "ja": words}
    record["plan"]["limits"] = [words]
    record["subject"] = words
    record["target"] = words
    (made / "run.json").write_text(json.dumps(record))
    lines = []
    for event in map(json.loads, (made / "events.jsonl").read_text().splitlines()):
        if event["what"] == "alert":
            event["data"]["rule"] = words
        if event["what"] == "step":
            event["data"]["id"] = words
        lines.append(json.dumps(event))
    (made / "events.jsonl").write_text("\n".join(lines) + "\n")
    (made / "scorecard.json").unlink()
    return made


def test_a_run_folder(call: Callable[..., str], run: Path) -> None:
    for lang in ("en", "ja"):
        assert r"quiet\x1b[2K" in call("check", run, "--lang", lang)
        call("check", run, "--lang", lang, "--evidence")
        call("compare", run, GOLDEN / "pass", "--lang", lang)
    whole = call("check", run, "--json", "-", "--quiet")
    card, _ = json.JSONDecoder().raw_decode(whole)  # what follows went to stderr
    assert card["title"]["en"] == HOSTILE.replace("\udcff", "")
    call("compare", run, GOLDEN / "pass", "--json", "-")
    call("check", run, "--rejudge", "--quiet")
    assert call("check", run)
    assert OBEYED.search((run / "scorecard.json").read_text()) is None


def test_what_is_damaged(call: Callable[..., str], run: Path) -> None:
    with (run / "events.jsonl").open("a") as file:
        file.write('{"index": "\x1b[31m"}\n\x1b]0;x\x07\n')
    (run / "books" / "\x1b[31m.jsonl").write_text("{}\n")
    assert r"\x1b[31m.jsonl" in call("check", run, "--evidence", "--json", "-").replace("\\u001b", r"\x1b")


def test_the_list(call: Callable[..., str], run: Path) -> None:
    place = run.parent.parent / "exchange-link-down" / run.name
    place.parent.mkdir()
    run.rename(place)
    card, _ = judge(place)
    write_card(place, msgspec.structs.replace(card, variant=None, verdict="\x1b[31mpass", arm=HOSTILE[:-1]))
    assert r"cannot judge (quiet\x1b[2K" in call("list")
    rows = {row["drill"]: row for row in json.loads(call("list", "--json"))}
    assert rows["exchange-link-down"]["last_verdict"] == "\x1b[31mpass"


def test_what_a_dead_run_left(call: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "cache" / "stacks" / "\x1b[31m\u202estack").mkdir(parents=True)
    assert r"stack \x1b[31m\u202estack" in call("heal")
    assert call("heal", "--all")


def test_a_bug_of_ours(call: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With its trace-back, which quotes whatever it was about."""

    def fail(*_: object) -> None:
        raise ValueError(HOSTILE)

    monkeypatch.setattr("drills.commands.inspect.listing", fail)
    monkeypatch.setenv("KUNREN_DEBUG", "1")
    with pytest.raises(AssertionError, match="internal error: ValueError: quiet") as ended:
        call("list")
    assert "Traceback" in str(ended.value)


def test_a_card_has_no_raw_control_character_in_its_bytes() -> None:
    card, _ = judge(GOLDEN / "pass")
    whole = card_bytes(msgspec.structs.replace(card, title={"en": HOSTILE[:-1]})).decode()
    assert OBEYED.search(whole) is None
    assert json.loads(whole)["title"]["en"] == HOSTILE[:-1]
