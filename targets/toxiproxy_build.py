"""Builds the real toxiproxy-server with Go: ``make toxiproxy``.

It lands in the cache folder, from where ``--proxy toxiproxy`` and the images of ``--target compose`` take it.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from targets import children, proxy_engine
from targets.cache import NoCache, cache_complaint
from targets.commands import run
from targets.proxy_engine import RELEASE
from targets.visible import visible

MODULE = "github.com/Shopify/toxiproxy/v2"
BUILD_WITHIN_S = 300.0


class BuildError(Exception):
    """It could not be built; the message says why and the fix."""


def build() -> Path:
    """The server, compiled from the Go module proxy unless it was before; BuildError."""
    try:
        server = proxy_engine.built()
        if server.exists():
            return server
    except (NoCache, OSError) as error:
        raise BuildError(str(error)) from error
    go = shutil.which("go")
    if go is None:
        raise BuildError("go is not on PATH: install Go 1.21 or newer, Toxiproxy is built from its source")
    if (why := cache_complaint()) is not None:
        raise BuildError(why)
    server.parent.mkdir(parents=True, exist_ok=True)
    with (server.parent / ".lock").open("w") as lock:  # who comes second takes what the first has built
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not server.exists():
            _compile(server, go)
    return server


def _compile(server: Path, go: str) -> None:
    """``go install`` of the release, static, its version stamped; the file appears whole or not at all."""
    with tempfile.TemporaryDirectory(dir=server.parent) as folder:
        stamp = f"-s -w -X {MODULE}.Version={RELEASE}"
        argv = [go, "install", "-ldflags", stamp, f"{MODULE}/cmd/server@v{RELEASE}"]
        environment = {**children.users_environment(), "CGO_ENABLED": "0", "GOBIN": folder}
        try:
            done = run(argv, BUILD_WITHIN_S, env=environment, cwd=Path(folder), whole_session=True)
        except subprocess.TimeoutExpired as error:
            raise BuildError(f"go install took more than {BUILD_WITHIN_S:.0f} s") from error
        if done.code != 0:
            raise BuildError(f"go install failed: {done.err.strip()[-500:]}")
        (Path(folder) / "server").replace(server)


if __name__ == "__main__":
    try:
        print(build())  # noqa: T201  # a path of our own
    except BuildError as error:
        sys.exit(visible(f"no real Toxiproxy: {error}"))
