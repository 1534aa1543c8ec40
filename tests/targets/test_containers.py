"""What of the runtime ``compose`` needs no engine."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
import yaml

from compose import generate
from compose.images import IMAGES
from drills.execution import openfiles
from targets.brokerage.config import LOOPBACK
from targets.brokerage.declaration import Container
from targets.brokerage.topology import TOPOLOGY, Topology
from targets.compose import CONTAINERS, FILE
from targets.containers import prometheus
from targets.containers.stack import inside_config
from targets.containers.variables import environment
from targets.embedded import EMBEDDED
from targets.local import LocalTarget
from targets.proxy_engine import RELEASE
from targets.runtime import Request

LINE = 'prometheus_rule_group_{what}{{rule_group="/stack/monitor/api.rules.yml;{group}"}} {value}\n'


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalTarget:
    monkeypatch.setenv("KUNREN_CACHE", str(tmp_path / "cache"))
    target = EMBEDDED.make(Request("a/run", 7, "D3", None, 60, tmp_path / "logs", "embedded"))
    assert isinstance(target, LocalTarget)
    target.__exit__(None, None, None)
    return target


def test_containers_can_all_be_cut_off_and_processes_by_their_links() -> None:
    assert CONTAINERS.capabilities().partitionable == set(TOPOLOGY.services)
    assert set(TOPOLOGY.services) - EMBEDDED.capabilities().partitionable == {
        "pager",
        "mail",
        "mta",
        "monitor",
        "vendor",
    }


def test_compose_starts_every_part_with_the_variables_there_are(local: LocalTarget, tmp_path: Path) -> None:
    text = FILE.read_text()
    assert set(yaml.safe_load(text)["services"]) == set(TOPOLOGY.containers)
    config = msgspec.structs.replace(local.config, network="198.18.0.0/27")
    known = dict(environment(config, tmp_path, "1:1", "1"))
    named = {word.partition("}")[0].partition(":")[0] for word in text.split("${")[1:]}
    assert named <= set(known)


def test_the_file_is_what_the_components_declare() -> None:
    assert FILE.read_text() == generate.text(), f"compose.yaml is out of date: {generate.MAKE_IT}"


def test_an_image_that_nobody_builds_is_refused() -> None:
    odd = dataclasses.replace(TOPOLOGY.components["mail"], container=Container(image="sendmail"))
    others = [each for name, each in TOPOLOGY.components.items() if name != "mail"]
    with pytest.raises(
        generate.GenerateError, match=r"^mail: images\.yaml has no image sendmail; there are: brokerage,"
    ):
        generate.text(Topology((*others, odd)))


def test_the_images_are_those_of_the_stack_and_of_the_toxiproxy_compared_with() -> None:
    text = FILE.with_name("images.yaml").read_text()
    assert set(yaml.safe_load(text)["services"]) == set(IMAGES)
    assert f":-{RELEASE}}}" in text
    used = {each["image"] for each in yaml.safe_load(FILE.read_text())["services"].values()}
    assert {name.partition("/")[2].partition(":")[0] for name in used} == set(IMAGES)


def test_every_part_may_keep_as_many_files_open_as_a_run_takes() -> None:
    _, files = openfiles.largest(per_customer=2)  # the proxy is one of them
    for service in yaml.safe_load(FILE.read_text())["services"].values():
        assert service["ulimits"]["nofile"] >= files


def test_ports_are_published_on_this_machine_alone() -> None:
    for service in yaml.safe_load(FILE.read_text())["services"].values():
        assert all(port.startswith(f"{LOOPBACK}:") for port in service.get("ports", ()))


def test_inside_each_part_has_its_own_name(local: LocalTarget, tmp_path: Path) -> None:
    seen = inside_config(local.config)
    assert (seen.host("gateway"), seen.listen, seen.ports) == ("gateway", "0.0.0.0", local.config.ports)
    prometheus.write(tmp_path, seen)
    scraped = yaml.safe_load((tmp_path / "prometheus.yml").read_text())["scrape_configs"]
    targets = {each["job_name"]: each["static_configs"][0]["targets"] for each in scraped}
    assert targets["exchange"] == [f"exchange:{seen.ports['exchange_http']}"]


def test_the_heartbeat_is_the_slowest_group_s_on_our_clock() -> None:
    now = time.time()
    text = "".join(
        LINE.format(what=what, group=group, value=value)
        for what, values in (("iterations_total", (9, 8)), ("last_evaluation_timestamp_seconds", (now, now - 1)))
        for group, value in zip(("causes", "symptoms"), values, strict=True)
    )
    beat = prometheus.heartbeat(text)
    assert beat is not None
    assert beat[0] == 8
    assert time.monotonic_ns() - beat[1] >= 1e9
    assert prometheus.heartbeat("") is None


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        ({"DOCKER_HOST": "unix:///nowhere/docker.sock"}, "no container engine answers"),
        ({"PATH": "/nowhere"}, "docker"),
    ],
)
def test_images_without_an_engine_or_without_docker_are_one_line_with_the_mend(
    missing: dict[str, str], says: str
) -> None:
    argv = [sys.executable, "-m", "compose.images"]
    done = subprocess.run(argv, env={**os.environ, **missing}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert done.stderr.startswith("images: ")
    assert len(done.stderr.splitlines()) == 1
    assert says in done.stderr
    assert "install Docker" in done.stderr
    assert done.stdout == ""
