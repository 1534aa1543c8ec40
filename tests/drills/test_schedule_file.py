"""A schedule is read as strictly as a drill: whatever is not known is refused with its line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from drills.errors import BadInput
from drills.spec.forms import keys_of
from drills.spec.lint import lint
from drills.spec.reader import read
from drills.spec.schedulefile import load_schedule
from drills.spec.scheduleform import ScheduleFile
from drills.spec.schemas import schema

from .schedules import DRILL, entry, text, written
from .test_spec_schemas import unknown_keys

EXAMPLE = Path(__file__).parents[2] / "drills" / "examples" / "schedule.yaml"
WHY = "why: {en: Freeze, ja: 凍結}"

REFUSED = [
    ({"zone": ""}, "1: missing key 'zone'"),
    ({"zone": "Asia/Tokio"}, "2: zone: unknown time zone 'Asia/Tokio', did you mean 'Asia/Tokyo'?"),
    ({"timezone": "Asia/Tokyo"}, "unknown key 'timezone', did you mean"),
    ({"windows": "[]"}, "3: windows: found an empty list, expected a list of windows"),
    ({"windows": "[{from: 18:30}]"}, "windows[0]: missing key 'to'"),
    ({"windows": "[{from: 18h, to: 19:00}]"}, "windows[0].from: found '18h', expected a time of the day such as 18:30"),
    ({"windows": "[{from: 25:00, to: 26:00}]"}, "expected a time of the day"),
    ({"windows": "[{from: 1:00, to: 2:00}]"}, "expected a time of the day"),
    ({"windows": "[{from: 18:30, to: 23:30, days: [monday]}]"}, "unknown weekday 'monday', did you mean 'mon'?"),
    ({"windows": "[{from: 08:00, to: 09:00}]"}, "entries.link.at: lies in no window"),
    ({"business": "{calendar: TSE}"}, "business.calendar: unknown calendar of exchange_calendars 'TSE'"),
    ({"business": "{holidays: [29 Dec]}"}, "business.holidays[0]: found '29 Dec', expected a date such as"),
    ({"business": "{holidays: [2026-02-30]}"}, "expected a date such as"),
    ({"entries": entry(since="9999-12-31")}, "expected a date such as 2026-12-01, from 2000 to 2099"),
    ({"business": "{holidays: [2026-12-29, 2026-12-29]}"}, "stands twice"),
    ({"blackouts": f"[{{{WHY}}}]"}, "blackouts[0]: say when in one way"),
    ({"blackouts": f"[{{{WHY}, from: 2026-12-01}}]"}, "blackouts[0]: say when in one way"),
    (
        {"blackouts": f"[{{{WHY}, from: 2026-12-01, to: 2026-12-02, every: FREQ=DAILY}}]"},
        "blackouts[0]: say when in one way",
    ),
    ({"blackouts": f"[{{{WHY}, from: 2026-12-05, to: 2026-12-02}}]"}, "blackouts[0].to: lies before from"),
    ({"blackouts": f"[{{{WHY}, month: {{}}}}]"}, "how many of the first, or of the last business days"),
    ({"blackouts": f"[{{{WHY}, month: {{last: 0}}}}]"}, "expected a whole number from 1 to 10"),
    ({"blackouts": f"[{{{WHY}, every: FREQ=WEEKLY;INTERVAL=2}}]"}, "an INTERVAL would count from nowhere"),
    ({"blackouts": "[{from: 2026-12-01, to: 2026-12-02}]"}, "blackouts[0]: missing key 'why'"),
    ({"budget": "{day: 30}"}, "budget.day: found the number 30, expected a time with its unit"),
    ({"budget": "{year: 30h}"}, "unknown key 'year'"),
    ({"tell": "{desk: {on: [before]}}"}, "tell.desk: say where the address is in one way: url, env or file"),
    ({"tell": "{desk: {url: 'x://y', env: A}}"}, "tell.desk: say where the address is in one way"),
    ({"tell": "{desk: {url: desk@example.co.jp}}"}, "tell.desk.url: found 'desk@example.co.jp', expected an address"),
    ({"tell": "{desk: {env: KUNREN-DESK}}"}, "expected the name of an environment variable"),
    ({"tell": "{desk: {env: A, on: [failure]}}"}, "unknown occasion 'failure'"),
    ({"tell": "{desk: {env: A, lang: de}}"}, "unknown language 'de'"),
    ({"tell": "{desk: {env: A, attach: 'yes'}}"}, "tell.desk.attach: found 'yes', expected true or false"),
    ({"link": "https://drills/{folder}"}, "link: unknown name in braces 'folder'"),
    ({"entries": "{}"}, "expected at least one"),
    ({"entries": entry(drills="[exchange-link-dwn]")}, "did you mean 'exchange-link-down'?"),
    ({"entries": entry(drills="[]")}, "entries.link.drills: found an empty list"),
    ({"entries": entry(arms="[runbok]")}, "entries.link.arms[0]: drill exchange-link-down: unknown arm 'runbok'"),
    ({"entries": entry(arms="['wrong:nobody']")}, "unknown arm 'wrong:nobody'"),
    ({"entries": entry(target="lokal")}, "entries.link.target: unknown target 'lokal', did you mean 'local'?"),
    ({"entries": entry(target="nowhere.yaml")}, "nowhere.yaml:1: no such file"),
    ({"entries": entry(every="WEEKLY")}, "entries.link.every: unknown part of the rule 'WEEKLY'"),
    ({"entries": entry(every="FREQ=HOURLY")}, "entries.link.every: unknown FREQ 'HOURLY'"),
    ({"entries": entry(every="INTERVAL=2")}, "entries.link.every: unknown FREQ 'none'"),
    ({"entries": entry(every="FREQ=DAILY;BYHOUR=3")}, "BYHOUR is not taken in the rule; say it with 'at'"),
    ({"entries": entry(every="FREQ=DAILY;UNTIL=20270101")}, "UNTIL is not taken in the rule; say it with 'until'"),
    ({"entries": entry(every="FREQ=DAILY;COUNT=3")}, "COUNT is not taken"),
    ({"entries": entry(every="FREQ=WEEKLY;BYDAY=DI")}, "no recurrence rule of iCalendar: invalid 'BYDAY': DI"),
    ({"entries": entry(every="FREQ=DAILY;FREQ=DAILY")}, "a part of the rule stands twice"),
    ({"entries": entry(every="FREQ=DAILY;INTERVAL=0")}, "INTERVAL is a whole number from 1 to 999"),
    ({"entries": entry(every="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")}, "no date within eight years"),
    ({"entries": entry(every="FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=5", until="2026-12-31")}, "has no date from since on"),
    ({"entries": entry(until="2026-11-30")}, "entries.link.until: lies before since"),
    ({"entries": entry(days="workdays")}, "unknown kind of day 'workdays'"),
    ({"entries": entry(otherwise="never")}, "unknown way out 'never'"),
    ({"entries": entry(jitter="0s")}, "entries.link.jitter: found '0s', expected more than zero"),
    ({"entries": entry(tell="[desk]")}, "unknown receiver 'desk'"),
]


@pytest.mark.parametrize(("changed", "says"), REFUSED, ids=[says[:50] for _, says in REFUSED])
def test_what_is_refused(tmp_path: Path, changed: dict[str, str], says: str) -> None:
    with pytest.raises(BadInput) as refused:
        written(tmp_path, **changed)
    assert says in str(refused.value)
    assert refused.value.line >= 1


def test_what_a_rule_may_say(tmp_path: Path) -> None:
    for rule in ("FREQ=WEEKLY;BYDAY=TU,TH", "FREQ=MONTHLY;BYDAY=2TU", "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=YEARLY"):
        schedule = written(tmp_path, entries=entry(every=f"'{rule}'"))
        assert schedule.entries[0].every.days(date(2027, 1, 1), date(2027, 1, 1), date(2028, 12, 31))


def test_the_example_is_right_and_has_every_key_of_the_schema() -> None:
    schedule = load_schedule(EXAMPLE)
    assert schedule.name == "brokerage"
    assert unknown_keys(read(EXAMPLE).value, schema("schedule")) == []
    required, optional = keys_of(ScheduleFile)
    assert set(read(EXAMPLE).value) == {*required, *optional}
    assert lint([EXAMPLE]) == []


def test_the_schemas_keys_are_the_loaders() -> None:
    found = schema("schedule")
    required, optional = keys_of(ScheduleFile)
    assert set(found["properties"]) == {*required, *optional}
    assert found["required"] == list(required)


def test_lint_says_what_is_wrong_with_a_schedule(tmp_path: Path) -> None:
    file = tmp_path / "ours.yaml"
    file.write_text(text(zone="Asia/Tokio"))
    assert [finding.line for finding in lint([file])] == [2]


def test_drills_and_targets_beside_the_schedule(tmp_path: Path) -> None:
    examples = EXAMPLE.parent / "datasette"
    schedule = written(tmp_path, entries=entry(drills=f"[{examples}/drill.yaml]", target=f"{examples}/target.yaml"))
    ours = schedule.entries[0]
    assert [str(arm) for arm in ours.parts[0].arms] == ["no-action"]
    assert ours.target == f"{examples}/target.yaml"
    with pytest.raises(BadInput, match=r"arms\[0\]: .*runbook"):
        written(
            tmp_path,
            entries=entry(drills=f"[{examples}/drill.yaml]", target=f"{examples}/target.yaml", arms="[runbook]"),
        )


def test_who_is_told_of_an_entry_and_where_the_address_stands(tmp_path: Path) -> None:
    (tmp_path / "address").write_text("json://127.0.0.1/a\n")
    receivers = "{desk: {env: DESK}, boss: {file: address}, all: {url: 'json://127.0.0.1/b'}}"
    schedule = written(tmp_path, tell=receivers, entries=entry(tell="[boss]"))
    assert [each.name for each in schedule.told("link")] == ["boss"]
    assert [each.name for each in schedule.told(None)] == ["desk", "boss", "all"]
    found = [each.address({"DESK": "json://127.0.0.1/c"}) for each in schedule.receivers.values()]
    assert found == ["json://127.0.0.1/c", "json://127.0.0.1/a", "json://127.0.0.1/b"]
    assert schedule.receivers["desk"].address({}) is None
    (tmp_path / "address").unlink()
    assert schedule.receivers["boss"].address({}) is None


def test_the_drill_is_read_from_the_catalogue(tmp_path: Path) -> None:
    (only,) = written(tmp_path).entries
    assert [(part.drill.name, [str(arm) for arm in part.arms]) for part in only.parts] == [(DRILL, ["runbook"])]
