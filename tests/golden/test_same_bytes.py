"""``kunren check --rejudge`` writes the same bytes under another time zone, locale, hash seed, folder and Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
GOLDEN = sorted(path.parent for path in HERE.glob("*/run.json"))
JUDGE = """
import sys
from pathlib import Path
from drills.cards import judge_and_write
for folder in sys.argv[1:]:
    judge_and_write(Path(folder))
"""
ELSEWHERE: list[Mapping[str, str]] = [
    {"TZ": "Asia/Tokyo", "LC_ALL": "ja_JP.UTF-8", "PYTHONHASHSEED": "0"},
    {"TZ": "America/St_Johns", "LC_ALL": "C", "PYTHONHASHSEED": "4242", "PYTHONUTF8": "0", "PYTHONOPTIMIZE": "1"},
    {"TZ": "Pacific/Chatham", "LC_ALL": "tr_TR.ISO-8859-9", "PYTHONHASHSEED": "random", "PYTHONIOENCODING": "latin-1"},
]


def unjudged(root: Path) -> list[Path]:
    """Copies of all golden folders without their cards."""
    found = []
    for golden in GOLDEN:
        folder = Path(shutil.copytree(golden, root / golden.name))
        (folder / "scorecard.json").unlink()
        sums = folder / "SHA256SUMS"
        if sums.exists():
            lines = sums.read_text().splitlines(keepends=True)
            sums.write_text("".join(line for line in lines if not line.endswith("  scorecard.json\n")))
        found.append(folder)
    return found


def python(argv: list[str], env: Mapping[str, str], cwd: Path, which: str = sys.executable) -> str:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))}
    whole = {**inherited, "PYTHONPATH": str(ROOT), **env}
    done = subprocess.run([which, *argv], env=whole, cwd=cwd, capture_output=True, timeout=120)
    words = done.stderr.decode(errors="replace")
    assert done.returncode in (0, 1), words
    assert "Traceback" not in words, words
    return done.stdout.decode(errors="replace")


def compare(folders: list[Path]) -> None:
    assert len(folders) == len(GOLDEN) > 0
    for folder in folders:
        for name in ("scorecard.json", "SHA256SUMS"):
            golden = HERE / folder.name / name
            assert golden.exists() == (folder / name).exists()
            assert not golden.exists() or (folder / name).read_bytes() == golden.read_bytes(), folder.name


@pytest.mark.parametrize("env", ELSEWHERE, ids=[env["TZ"] for env in ELSEWHERE])
def test_another_place_gives_the_same_bytes(tmp_path: Path, env: Mapping[str, str]) -> None:
    (tmp_path / "訓練 1").mkdir()
    folders = unjudged(tmp_path / "訓練 1")
    (tmp_path / "link").symlink_to(folders[0].parent)
    named = [str(Path("link") / folder.name) for folder in folders]
    python(["-m", "drills.cli", "check", "--rejudge", *named], env, tmp_path)
    compare(folders)


def test_an_archive_is_judged_and_not_touched(tmp_path: Path) -> None:
    archive = Path(shutil.copytree(HERE / "pass", tmp_path / "pass"))
    paths = [archive, *archive.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = {path: (path.stat().st_ino, path.stat().st_mtime_ns, path.stat().st_mode) for path in paths}
    said = python(["-m", "drills.cli", "check", str(archive), "--json", "-", "--evidence"], {}, Path("/"))
    assert said.encode() == (HERE / "pass" / "scorecard.json").read_bytes()
    assert {path: (path.stat().st_ino, path.stat().st_mtime_ns, path.stat().st_mode) for path in paths} == before
    assert set(archive.rglob("*")) | {archive} == set(paths)
    for path in paths:
        path.chmod(0o755 if path.is_dir() else 0o644)


def other_pythons() -> Iterator[str]:
    """One interpreter of each other minor version from 3.11 on that has what the judge needs."""
    seen = {f"{sys.version_info[0]}.{sys.version_info[1]}"}
    places = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep)]
    places += sorted(Path.home().glob(".pyenv/versions/3.1*/bin"))
    named = [path for path in os.environ.get("KUNREN_OTHER_PYTHONS", "").split(os.pathsep) if path]
    for which in [*named, *(str(place / f"python3.{minor}") for place in places for minor in range(11, 16))]:
        ask = "import sys, numpy, msgspec; print('%d.%d' % sys.version_info[:2])"
        if not os.access(which, os.X_OK):
            continue
        said = subprocess.run([which, "-c", ask], capture_output=True, text=True, timeout=60)
        if said.returncode == 0 and said.stdout.strip() not in seen:
            seen.add(said.stdout.strip())
            yield which


def test_another_python_gives_the_same_bytes(tmp_path: Path) -> None:
    """Set KUNREN_OTHER_PYTHONS to interpreters (a:b:c) that have numpy and msgspec; CI brings one."""
    others = list(other_pythons())
    if not others:
        lacks = "no other Python >= 3.11 with numpy and msgspec here; KUNREN_OTHER_PYTHONS may name some"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(lacks)
    for number, which in enumerate(others):
        (tmp_path / str(number)).mkdir()
        folders = unjudged(tmp_path / str(number))
        python(["-c", JUDGE, *map(str, folders)], {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "1"}, tmp_path, which)
        compare(folders)
