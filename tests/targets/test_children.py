"""Which variables a part of ours gets, and which a program of the user's."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from targets import children

AMBIENT = (
    "PGHOST", "PGHOSTADDR", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGPASSFILE", "PGSERVICE", "PGSERVICEFILE",
    "PGOPTIONS", "PGSSLMODE", "PGTZ", "PGDATA", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy",
    "https_proxy", "all_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE", "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE", "NETRC", "DOCKER_DEFAULT_PLATFORM", "DOCKER_BUILDKIT", "DOCKER_CONTENT_TRUST", "COMPOSE_FILE",
    "COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES", "BUILDKIT_PROGRESS", "BUILDX_BUILDER", "LC_ALL", "LC_CTYPE",
    "LC_MESSAGES", "LANG", "LANGUAGE", "TZ", "PYTHONPATH", "PYTHONHOME", "PYTHONWARNINGS", "PYTHONSTARTUP",
    "PYTHONOPTIMIZE", "PYTHONINSPECT", "PYTHONASYNCIODEBUG", "PYTHONUTF8", "LOCUST_HOST", "LOCUST_LOCUSTFILE",
    "PROMETHEUS_MULTIPROC_DIR",
    "UVICORN_PORT", "UV_INDEX_URL", "UVLOOP_DEBUG", "WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS", "GEVENT_RESOLVER",
    "GEVENT_LOOP", "OPENSSL_CONF", "PIP_INDEX_URL", "GOFLAGS", "GODEBUG", "LOG_LEVEL", "LD_PRELOAD", "MALLOC_PERTURB_",
    "ENV", "BASH_ENV", "SOMETHING_ELSE",
)  # fmt: skip
MEANT = {
    "PATH": "/bin", "HOME": "/home/me", "USER": "me", "LOGNAME": "me", "TMPDIR": "/tmp", "LD_LIBRARY_PATH": "/lib/x",
    "XDG_CACHE_HOME": "/home/me/.c", "XDG_RUNTIME_DIR": "/run/user/1", "KUNREN_CACHE": "/c", "KUNREN_PG_BIN": "/pg",
    "KUNREN_TOXIPROXY": "toxiproxy-server", "DOCKER_HOST": "unix:///x.sock", "DOCKER_CONTEXT": "c",
    "DOCKER_CONFIG": "/d", "DOCKER_CERT_PATH": "/certs", "DOCKER_TLS_VERIFY": "1", "SSH_AUTH_SOCK": "/ssh",
}  # fmt: skip
TERMINAL = ("TERM", "COLUMNS", "NO_COLOR")


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment with nothing in it."""
    for name in list(os.environ):
        monkeypatch.delenv(name)
    return monkeypatch


def theirs() -> dict[str, str]:
    return {name: value for name, value in children.users_environment().items() if name != "PYTEST_CURRENT_TEST"}


@pytest.mark.parametrize("name", AMBIENT)
def test_what_is_meant_for_others_reaches_the_users_programs_alone(only: pytest.MonkeyPatch, name: str) -> None:
    only.setenv(name, "nonsense")
    assert children.own_environment() == {}
    assert theirs() == {name: "nonsense"}


def test_what_is_meant_reaches_our_parts(only: pytest.MonkeyPatch) -> None:
    for name, value in MEANT.items():
        only.setenv(name, value)
    assert children.own_environment() == MEANT


def test_paths_are_absolute_for_children_that_work_elsewhere(only: pytest.MonkeyPatch, tmp_path: Path) -> None:
    only.chdir(tmp_path)
    relative = {"KUNREN_CACHE": "cache", "KUNREN_TOXIPROXY": "./server", "PATH": f"bin{os.pathsep}{os.pathsep}/bin"}
    for name, value in relative.items():
        only.setenv(name, value)
    assert children.own_environment() == {
        "KUNREN_CACHE": f"{tmp_path}/cache",
        "KUNREN_TOXIPROXY": f"{tmp_path}/server",
        "PATH": f"{tmp_path}/bin{os.pathsep}/bin",
    }
    assert theirs() == relative
    assert children.keeper_environment()["KUNREN_CACHE"] == f"{tmp_path}/cache"


SHED = """
import os, time
from targets import children
children.shed()
children.shed()
print(sorted(os.environ), time.tzname[0], sorted(children.users_environment()), sorted(children.own_environment()))
"""


def run(code: str, environment: Mapping[str, str]) -> str:
    folder = str(children.START.parents[1])
    whole = f"import sys; sys.path.insert(0, {folder!r})\n{code}"
    argv = [sys.executable, "-c", whole]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=30, check=True).stdout


def test_a_process_of_ours_takes_the_rest_out_and_keeps_it_for_the_users_programs() -> None:
    given = {
        "TZ": "Asia/Tokyo",
        "LC_ALL": "C.UTF-8",
        "PGHOST": "elsewhere",
        "HOME": "/nowhere",
        "TERM": "dumb",
        "COLUMNS": "99",
    }
    kept = ["COLUMNS", "HOME", "TERM"]
    assert run(SHED, given).strip() == f"{kept} UTC {sorted(given)} ['HOME']"


def test_a_variable_that_was_taken_out_comes_back_whoever_waits(only: pytest.MonkeyPatch) -> None:
    only.setenv("PGSERVICE", "nowhere")
    inside, seen = threading.Event(), []

    def second() -> None:
        inside.set()
        with children.without("PG"):
            seen.append("PGSERVICE" in os.environ)

    other = threading.Thread(target=second)
    with children.without("PG"):
        other.start()
        assert inside.wait(30)
        assert not seen
    other.join(30)
    assert seen == [False]
    assert os.environ["PGSERVICE"] == "nowhere"


def test_every_connection_of_a_process_that_may_not_be_ours_goes_through_one_function() -> None:
    """libpq reads the environment whatever it is told; services and operator's tool are processes of our own."""
    root = children.START.parents[1]
    files = [file for name in ("drills", "targets", "reports") for file in (root / name).rglob("*.py")]
    direct = {file.relative_to(root).as_posix() for file in files if "psycopg.connect(" in file.read_text()}
    assert direct == {"targets/brokerage/direct.py"}


def test_python_is_started_in_one_place() -> None:
    root = children.START.parents[1]
    files = [file for name in ("drills", "targets", "faults", "loadprofiles") for file in (root / name).rglob("*.py")]
    starts = {file.relative_to(root).as_posix() for file in files if "[sys.executable" in file.read_text()}
    assert starts == {"targets/children.py", "drills/start.py"}
