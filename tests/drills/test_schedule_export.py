"""What other programs take: systemd is asked itself where it is there, and a calendar is read again."""

from __future__ import annotations

import configparser
import shlex
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import icalendar
import pytest

from drills.schedule.export import Event, Look, cron, ics, systemd

ODD = Path("/srv/my 訓練 100% $HOME 'drills'")
LOOK = Look("desk", ODD / "bin/kunren", ODD / "schedule.yaml", ODD / "runs", ODD)


def test_cron_starts_the_look_with_paths_as_they_are(tmp_path: Path) -> None:
    comment, line = cron(LOOK).splitlines()
    assert comment.startswith("#")
    assert line.startswith("*/5 * * * * ")
    command = line.split(" ", 5)[5].replace("\\%", "%")  # what cron makes of it
    assert "%" not in line.replace("\\%", "")
    printed = subprocess.run(
        ["/bin/sh", "-c", command.partition("&&")[2].replace(shlex.quote(str(LOOK.program)), "printf '%s\\n'")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout.splitlines() == list(LOOK.argv[1:])


def test_units_are_of_the_form_that_systemd_reads() -> None:
    units = systemd(LOOK)
    assert list(units) == ["kunren-desk.service", "kunren-desk.timer"]
    for content in units.values():
        parser = configparser.ConfigParser(strict=True, interpolation=None)
        parser.optionxform = str  # type: ignore[assignment, method-assign]
        parser.read_string(content)
        assert parser.sections()[0] == "Unit"
    assert "100%% $$HOME" in units["kunren-desk.service"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
@pytest.mark.parametrize("folder", ["plain", "my 訓練 100% folder"])
def test_systemd_has_nothing_to_complain_about(tmp_path: Path, folder: str) -> None:
    here = tmp_path / folder
    program = here / "kunren"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    units = systemd(Look("desk", program, here / "schedule.yaml", here / "runs", here))
    for name, content in units.items():
        (tmp_path / name).write_text(content)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name in units)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    ours = [line for line in done.stderr.splitlines() if "kunren" in line]
    assert ours == []
    spec = next(line for line in units["kunren-desk.timer"].splitlines() if line.startswith("OnCalendar="))
    times = subprocess.run(
        ["systemd-analyze", "calendar", spec.partition("=")[2]], capture_output=True, text=True, timeout=60
    )
    assert times.returncode == 0, times.stderr


def test_a_calendar_is_read_again_as_it_was_meant() -> None:
    start, end = datetime(2026, 12, 1, 10, tzinfo=UTC), datetime(2026, 12, 1, 10, 5, tzinfo=UTC)
    title = "kunren: 夜間バッチとオンライン取引の競合; " + "長い" * 40
    content = ics("desk", "Asia/Tokyo", [Event("a-2026-12-01@desk.kunren", title, "line\nline", start, end)], start)
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    (event,) = icalendar.Calendar.from_ical(content).walk("VEVENT")
    assert str(event["summary"]) == title
    assert event["dtstart"].dt == start
    assert event["dtend"].dt == end
    assert str(event["uid"]) == "a-2026-12-01@desk.kunren"
