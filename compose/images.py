"""The images of the runtime ``compose``: ``make images`` builds them and says from what.

With a registry in reach they stand on ordinary public images. Without one the base is made here from Debian's own
packages (mmdebstrap), and wheels, Toxiproxy and Debian's Prometheus are prepared outside, in the cache folder, so that
the builds themselves need no network. ``images.yaml`` says how each is built.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from targets import children, commands, toxiproxy_build
from targets.cache import cache_complaint, cache_folder
from targets.containers.engine import LOOK_COMPOSE_S, EngineError, compose, environment, version
from targets.proxy_engine import RELEASE
from targets.visible import visible

HERE = Path(__file__).parent
ROOT = HERE.parent
IMAGES = ("brokerage", "postgres", "toxiproxy", "prometheus")

IMAGE_LABEL = "kunren.image"

SUITE = "bookworm"
PUBLIC_BASE = "python:3.11.7-slim-bookworm"
LOCAL_BASE = f"kunren/base:{SUITE}"
PACKAGES = ("python3", "python3-pip", "ca-certificates")
ASK_REGISTRY_S = 15
BUILD_S = 900


class ImageError(Exception):
    """An image could not be made; the message says which step and the fix."""


@cache
def tag() -> str:
    """Of our images: what they are made from, so that no container ever runs other code than this package's."""
    return digest(ROOT)


def digest(root: Path) -> str:
    """Of the code below ``root`` that goes into the images."""
    files = sorted(each for each in (*root.glob("targets/**/*"), *root.glob("compose/*")) if each.is_file())
    found = hashlib.sha256()
    for file in files:
        if file.suffix != ".pyc" and file.name not in ("README.md", "compose.yaml"):
            found.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes())
    return found.hexdigest()[:12]


def main() -> None:
    """Entry point: build all, print what they were built from."""
    parser = argparse.ArgumentParser(prog="compose.images", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tag", action="store_true", help="print the tag that these images have, and build nothing")
    if parser.parse_args().tag:
        print(tag())
        return
    try:
        build()
    except ImageError as error:
        sys.exit(visible(f"images: {error}"))
    except KeyboardInterrupt:
        sys.exit(130)


def build() -> None:
    """All of them; ImageError."""
    look_for_engine()
    if (why := cache_complaint()) is not None:
        raise ImageError(why)
    base, origin, public = choose_base()
    print(f"base image: {base} ({origin})", flush=True)
    context = cache_folder() / "images"
    with alone(context):
        prepare(context, public)
        if digest(context) != tag():
            raise ImageError("the code was changed while it was copied; again: make images")
        print(f"libraries, Toxiproxy, Prometheus: {'fetched by the builds' if public else f'prepared in {context}'}")
        began = time.monotonic()
        run(["docker", "compose", "-f", str(HERE / "images.yaml"), "build"], BUILD_S, {
            "KUNREN_TAG": tag(), "KUNREN_TOXIPROXY_RELEASE": RELEASE,
            "KUNREN_CONTEXT": str(context), "KUNREN_BASE_IMAGE": base,
            "KUNREN_SOURCE": "public" if public else "prepared", "KUNREN_NETWORK": "default" if public else "none",
        })  # fmt: skip
    for name in IMAGES:
        print(f"built kunren/{name}:{tag()}")
    print(
        f"{time.monotonic() - began:.0f} s; older ones go with: docker image prune --all --filter label={IMAGE_LABEL}"
    )


@contextlib.contextmanager
def alone(context: Path) -> Iterator[None]:
    """Nobody else prepares and builds in this folder meanwhile: other checkouts have other code."""
    context.mkdir(parents=True, exist_ok=True)
    with (context / "building.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def look_for_engine() -> None:
    """ImageError unless an engine and Compose answer: nothing is prepared in vain."""
    try:
        version()
        compose(["version"], {}, LOOK_COMPOSE_S)
    except EngineError as error:
        raise ImageError(str(error)) from error


def choose_base() -> tuple[str, str, bool]:
    """The base image's name, where it comes from, whether a registry is in reach; made here when none answers."""
    named = os.environ.get("KUNREN_BASE_IMAGE")
    if named:
        return named, "named in KUNREN_BASE_IMAGE", os.environ.get("KUNREN_SOURCE", "prepared") == "public"
    if _there(LOCAL_BASE):
        return LOCAL_BASE, "made here before, from Debian packages", False
    try:
        run(["docker", "pull", "--quiet", PUBLIC_BASE], ASK_REGISTRY_S)
    except ImageError:
        make_base()
        return LOCAL_BASE, "made here from Debian packages: no registry answers", False
    return PUBLIC_BASE, "public", True


def make_base() -> None:
    """A minimal Debian with Python, imported as an image."""
    if shutil.which("mmdebstrap") is None:
        raise ImageError("no registry answers and mmdebstrap is not here: apt-get install mmdebstrap")
    archive = cache_folder() / "base.tar"
    archive.parent.mkdir(parents=True, exist_ok=True)
    include = f"--include={','.join(PACKAGES)}"
    try:
        fetch(["mmdebstrap", "--quiet", "--variant=minbase", include, SUITE, str(archive)])
        run(["docker", "import", str(archive), LOCAL_BASE], BUILD_S)
    finally:
        archive.unlink(missing_ok=True)


def prepare(context: Path, public: bool) -> None:
    """Everything that the builds take, in one folder: code, and what they cannot fetch themselves."""
    leave = shutil.ignore_patterns("__pycache__")
    for name in ("targets", "compose"):
        shutil.rmtree(context / name, ignore_errors=True)
        shutil.copytree(ROOT / name, context / name, ignore=leave)
    if public:
        return
    prepared = context / "prepared"
    prepared.mkdir(exist_ok=True)
    _wheels(prepared / "wheels", HERE / "brokerage.txt")
    _wheels(prepared / "pgwheels", HERE / "postgres.txt")
    _toxiproxy(prepared / "toxiproxy" / RELEASE / "server")
    _debian(prepared / "debian", ("prometheus", "prometheus-alertmanager"))


def _wheels(folder: Path, wanted: Path) -> None:
    """Those that the file asks for; kept until it asks for others."""
    asked = folder / wanted.name
    if asked.exists() and asked.read_bytes() == wanted.read_bytes():
        return
    making = folder.with_suffix(".making")
    shutil.rmtree(making, ignore_errors=True)
    ours = ["--only-binary=:all:", "--python-version", "3.11", "--dest", str(making)]
    pip = [sys.executable, "-E", "-P", "-m", "pip"]  # -E leaves PIP_* to it
    fetch([*pip, "download", "--quiet", *ours, "-r", str(wanted)])
    shutil.copy(wanted, making)
    shutil.rmtree(folder, ignore_errors=True)
    making.rename(folder)


def _toxiproxy(server: Path) -> None:
    if server.exists():
        return
    try:
        built = toxiproxy_build.build()
    except toxiproxy_build.BuildError as error:
        raise ImageError(str(error)) from error
    server.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(built, server)


def _debian(folder: Path, programs: Sequence[str]) -> None:
    """The programs of Debian packages, unpacked but not installed."""
    if all((folder / "usr" / "bin" / each).exists() for each in programs):
        return
    folder.mkdir(parents=True, exist_ok=True)
    fetch(["apt-get", "download", "-q", *programs], folder)
    for package in folder.glob("*.deb"):
        fetch(["dpkg", "-x", str(package), str(folder)])
        package.unlink()


def _there(image: str) -> bool:
    try:
        run(["docker", "image", "inspect", image], 30)
    except ImageError:
        return False
    return True


def run(argv: Sequence[str], within_s: float, more: Mapping[str, str] | None = None) -> None:
    """One step of the engine's, with ``more`` in its environment; ImageError with its last words."""
    _carry_out(argv, within_s, {**environment(), **(more or {})}, Path(children.NEUTRAL))


def fetch(argv: Sequence[str], folder: Path | None = None) -> None:
    """One step that gets something from outside, by the proxy and the index that the user has set; ImageError."""
    _carry_out(argv, BUILD_S, children.users_environment(), folder or Path(children.NEUTRAL))


def _carry_out(argv: Sequence[str], within_s: float, variables: Mapping[str, str], folder: Path) -> None:
    try:
        done = commands.run(argv, within_s, env=variables, cwd=folder)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ImageError(f"{argv[0]}: {error}") from error
    if done.code != 0:
        said = (done.err.strip() or done.out.strip() or "no message").splitlines()
        raise ImageError(f"{' '.join(argv[:3])} failed: {' | '.join(said[-3:])}")


if __name__ == "__main__":
    main()
