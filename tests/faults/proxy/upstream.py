"""Toxiproxy's own tests of its API, fetched with Go and turned on another server. Nothing of them is kept here.

Each test asks ``WithServer`` for a server and ends by clearing it. A file beside theirs gives them ours instead; their
own function stays, under another name.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from targets.proxy_engine import RELEASE
from targets.toxiproxy_build import MODULE

from .original import NotHereError

FETCH_WITHIN_S = 120.0
RUN_WITHIN_S = 300.0
THEIR_PORT = "8475"
TESTS = "api_test.go"

SHIM = """package toxiproxy_test

import "testing"

func WithServer(t *testing.T, f func(string)) {
	defer func() {
		proxies, err := client.Proxies()
		if err != nil {
			t.Error("Failed to list proxies", err)
		}
		for _, proxy := range proxies {
			if err := proxy.Delete(); err != nil {
				t.Error("Failed to delete a proxy", err)
			}
		}
	}()
	f("http://localhost:8475")
}
"""


def fetch(folder: Path) -> Path:
    """The release's source, copied to where it may be changed. NotHereError without Go, or without what it fetches."""
    go = shutil.which("go")
    if go is None:
        raise NotHereError("go is not on PATH, and the tests of its API are in Go")
    argv = [go, "mod", "download", "-json", f"{MODULE}@v{RELEASE}"]
    try:
        done = subprocess.run(
            argv, cwd=folder, capture_output=True, text=True, timeout=FETCH_WITHIN_S, check=False
        )  # fmt: skip
        source = json.loads(done.stdout)["Dir"]
    except (subprocess.TimeoutExpired, ValueError, KeyError) as error:
        raise NotHereError(f"{MODULE}@v{RELEASE} could not be fetched: {error}") from error
    copy = Path(shutil.copytree(source, folder / "toxiproxy"))
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return copy


def run(source: Path, port: int) -> Mapping[str, bool]:
    """Name of each of their tests -> whether it passed with the server on this port of 127.0.0.1."""
    tests = source / TESTS
    theirs = tests.read_text()
    assert theirs.count("func WithServer(") == 1
    tests.write_text(theirs.replace("func WithServer(", "func withTheirServer(").replace(THEIR_PORT, str(port)))
    (source / "ours_test.go").write_text(SHIM.replace(THEIR_PORT, str(port)))
    names = [line.split("(")[0].split()[1] for line in theirs.splitlines() if line.startswith("func Test")]
    chosen = f"^({'|'.join(names)})$"
    done = subprocess.run(
        ["go", "test", "-count=1", "-json", "-run", chosen, "."],
        cwd=source, capture_output=True, text=True, timeout=RUN_WITHIN_S, check=False,
    )  # fmt: skip
    found = {name: outcome for name, outcome in map(_outcome, done.stdout.splitlines()) if name in names}
    ended = {name: outcome == "pass" for name, outcome in found.items() if outcome in ("pass", "fail")}
    assert set(ended) == set(names), done.stdout[-3000:] + done.stderr[-3000:]
    return ended


def _outcome(line: str) -> tuple[str, str]:
    event = json.loads(line)
    return event.get("Test", ""), event["Action"]
