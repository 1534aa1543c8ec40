"""Tables are derived from what components declare; what does not fit together is named when it is imported."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from compose import generate
from targets.brokerage.components import COMPONENTS
from targets.brokerage.declaration import Book, Component, Link
from targets.brokerage.plant import CONDITIONS
from targets.brokerage.topology import TOPOLOGY, Topology, TopologyError
from targets.containers import network

ROOT = Path(__file__).parents[2]

DECLARED = """
from targets.brokerage.declaration import Component, Link, Served

OTP = Component(
    name="otp", start=Served("targets.brokerage.otp.service"), needs=("postgres",), ports=("otp_http", "otp"),
    http="otp_http", scraped=True, links=(Link("otp-pg", "postgres"),), direct=("bank",), volumes=("secrets",),
)
"""
"""The ``component.py`` of a component that is not there."""


def declared() -> Component:
    names: dict[str, Any] = {}
    exec(DECLARED, names)
    component: Component = names["OTP"]
    return component


OTP = declared()


def variant(**changes: Any) -> Component:
    return dataclasses.replace(OTP, **changes)


# -- the brokerage's own ----------------------------------------------------------------------------------------------


def test_services_start_after_what_they_need() -> None:
    order = list(TOPOLOGY.components)
    for name, each in TOPOLOGY.components.items():
        assert all(order.index(needed) < order.index(name) for needed in each.needs)
    assert TOPOLOGY.services == (
        "postgres", "pager", "exchange", "bank", "valuation", "gateway", "withdrawals", "api", "relay", "edge",
        "vendor", "batch", "mail", "mta", "monitor",
    )  # fmt: skip
    assert TOPOLOGY.programs == ("postgres", "toxiproxy", "volumes")


def test_links_lead_from_their_client_to_whose_port_it_is() -> None:
    assert {name: route.ends for name, route in TOPOLOGY.links.items()} == {
        "client-api": ("edge",),
        "relay-api": ("relay", "api"),
        "api-pg": ("api", "postgres"),
        "gateway-pg": ("gateway", "postgres"),
        "exchange-a": ("gateway", "exchange"),
        "exchange-b": ("gateway", "exchange"),
        "batch-pg": ("batch", "postgres"),
        "batch-valuation": ("batch", "valuation"),
        "api-bank": ("api", "bank"),
        "withdrawals-pg": ("withdrawals", "postgres"),
        "withdrawals-bank": ("withdrawals", "bank"),
    }
    assert TOPOLOGY.customers == "client-api"


def test_whom_a_cut_off_service_still_reaches() -> None:
    assert [pair for pair in TOPOLOGY.direct if "postgres" in pair] == [
        ("batch", "postgres"), ("mail", "postgres"), ("valuation", "postgres"),
    ]  # fmt: skip
    assert [pair for pair in TOPOLOGY.direct if "gateway" in pair] == [
        ("api", "gateway"), ("batch", "gateway"), ("monitor", "gateway"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", TOPOLOGY.served)
def test_a_component_connects_to_what_it_declares_and_to_nothing_else(name: str) -> None:
    declared, folder = TOPOLOGY.components[name], ROOT / "targets" / "brokerage" / name
    planted = {Path(inspect.getfile(condition)) for condition in CONDITIONS.values()}  # by the harness, not by itself
    text = "".join(file.read_text() for file in folder.glob("*.py") if file not in planted)
    assert set(re.findall(r'config\.through\("([^"]+)"\)', text)) == {link.name for link in declared.links}
    assert set(re.findall(r'config\.at\("([^"]+)"\)', text)) == set(declared.direct)


def test_operators_have_no_hand_in_other_companies_parts() -> None:
    assert set(TOPOLOGY.services) - set(TOPOLOGY.operated) == {"exchange", "bank", "vendor"}


def test_books_are_read_before_those_that_they_tell_of() -> None:
    order = list(TOPOLOGY.books)
    for name, book in TOPOLOGY.books.items():
        assert all(order.index(name) < order.index(other) for other in book.tells_of)
    assert set(order) == {
        "notices",
        "oms",
        "exchange",
        "market",
        "bank",
        "transactions",
        "certificates",
        "counters",
        "waiting-room",
        "withdrawals",
        "spool",
    }
    assert TOPOLOGY.own_books == {"notices", "oms", "transactions", "counters", "waiting-room", "withdrawals", "spool"}


def keeping(*books: Book) -> Topology:
    return Topology((*COMPONENTS, *(Component(name=each.name, start=None, books=(each,)) for each in books)))


def test_a_book_of_a_new_component_is_in_the_order() -> None:
    vouchers = Book("vouchers", "targets.brokerage.vouchers.books", tells_of=("bank",))
    order = list(keeping(vouchers).books)
    assert order.index("vouchers") < order.index("bank")


@pytest.mark.parametrize(
    ("books", "says"),
    [
        ((Book("oms", "x"),), "book oms is declared 2 times"),
        ((Book("tax", "x", tells_of=("office",)),), "book tax tells of office, which no component keeps"),
        ((Book("a", "x", tells_of=("b",)), Book("b", "x", tells_of=("a",))), "books tell of each other: a, b, a"),
    ],
)
def test_books_that_cannot_be_read_in_an_order_are_refused(books: tuple[Book, ...], says: str) -> None:
    with pytest.raises(TopologyError, match=f"^{says}$"):
        keeping(*books)


def test_every_port_and_link_has_a_number_of_its_own() -> None:
    ports, via = TOPOLOGY.numbered(range(TOPOLOGY.block))
    assert sorted([*ports.values(), *via.values()]) == list(range(TOPOLOGY.block))
    TOPOLOGY.check_numbers(ports, via)


@pytest.mark.parametrize("count", [TOPOLOGY.block - 1, TOPOLOGY.block + 1])
def test_a_block_of_another_size_is_refused(count: int) -> None:
    with pytest.raises(TopologyError, match=f"^{count} ports for a stack that takes {TOPOLOGY.block}$"):
        TOPOLOGY.numbered(range(count))


def test_numbers_of_another_brokerage_are_refused() -> None:
    ports, via = TOPOLOGY.numbered(range(TOPOLOGY.block))
    with pytest.raises(TopologyError, match=r"^the links are not those of this brokerage: otp-pg$"):
        TOPOLOGY.check_numbers(ports, {**via, "otp-pg": 1})


# -- what does not fit together ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("odd", "says"),
    [
        (variant(name="bank"), "component bank is declared 2 times"),
        (variant(ports=("otp_http", "bank")), "port bank is declared 2 times"),
        (variant(links=(Link("api-pg", "postgres"),)), "link api-pg is declared 2 times"),
        (variant(links=(Link("bank", "postgres"),)), "a port and a link are both called bank"),
        (variant(links=(Link("otp-sms", "sms"),)), "otp connects to port sms, which no component has"),
        (variant(direct=("sms",)), "otp connects to port sms, which no component has"),
        (variant(customers=Link("client-otp", "sms")), "otp connects to port sms, which no component has"),
        (variant(http="bank"), "otp speaks HTTP on port bank, which is none of its own"),
        (variant(http=""), "otp is to be scraped, and speaks no HTTP"),
        (variant(within="nowhere"), "otp runs within nowhere, which no component is"),
        (variant(needs=("sms",)), "otp needs sms, which no component is"),
        (variant(needs=("otp",)), "these need each other to start: otp"),
    ],
)
def test_a_declaration_that_does_not_fit_is_named(odd: Component, says: str) -> None:
    with pytest.raises(TopologyError, match=f"^{says}$"):
        Topology((*COMPONENTS, odd))


def test_one_component_alone_watches_the_others() -> None:
    with pytest.raises(TopologyError, match=r"^one component must declare scrapes, not 2: monitor, otp$"):
        _ = Topology((*COMPONENTS, variant(scrapes=True))).scraper


def test_a_volume_that_is_shared_is_one_that_somebody_declares() -> None:
    assert "relay-log:/stack/relay-log" in generate.text(Topology((*COMPONENTS, variant(shares=("relay-log",)))))
    with pytest.raises(TopologyError, match=r"^otp shares volume vault, which no component declares$"):
        Topology((*COMPONENTS, variant(shares=("vault",))))


def test_what_is_needed_starts_first_wherever_it_is_listed() -> None:
    found = list(Topology((OTP, *COMPONENTS)).components)
    assert found.index("postgres") < found.index("otp")
    assert [name for name in found if name != "otp"] == list(TOPOLOGY.components)


def test_a_network_is_as_large_as_its_parts_take() -> None:
    for parts in (12, 29, 30, 61, 62):
        addresses = network.addresses(network.free(15_000, parts), [str(number) for number in range(parts)])
        assert addresses[str(parts - 1)].endswith(str(parts + 1))
    assert network.free(15_000, 29).endswith("/27")
    assert network.free(15_000, 30).endswith("/26")


# -- one more ---------------------------------------------------------------------------------------------------------

TABLES = """
import json
from pathlib import Path
import msgspec
from compose import generate
from targets import local, stack
from targets.brokerage.monitor.service import watched
from targets.brokerage.operations import host
from targets.brokerage.operations.calls import Stack
from targets.brokerage.topology import TOPOLOGY
from targets.brokerage.clock import ClockConfig
from targets.compose import CONTAINERS
from targets.containers.prometheus import _prometheus
from targets.containers.stack import inside_config
from targets.containers.variables import environment
from targets.runtime import Request

request = Request("a/run", 7, "D3", None, 60, Path("/logs"), "embedded")
config = local.configure(range(TOPOLOGY.block), Path("/stack"), request, ClockConfig(0, "2026-11-02T09:05:00+09:00"))
seen = stack.Stack(config)
capabilities = seen.capabilities()
scraped = _prometheus(inside_config(config))["scrape_configs"]
inside = msgspec.structs.replace(config, network="198.18.0.0/27")
print(json.dumps({
    "links": sorted(capabilities.links), "services": sorted(capabilities.services),
    "partitionable": sorted(capabilities.partitionable),
    "everywhere": sorted(CONTAINERS.capabilities().partitionable),
    "http": config.ports["otp_http"], "ports": sorted(local.ports_of(config)),
    "watched": sorted(watched(config)), "hosted": sorted(host.HOSTED),
    "asked_at": Stack(config).address("otp") == config.at("otp_http"), "link": seen.links()["otp-pg"].ends,
    "logs": sorted(seen.logs()), "passing": [list(pair) for pair in TOPOLOGY.direct if "otp" in pair],
    "scraped": [each["static_configs"][0]["targets"] for each in scraped if each["job_name"] == "otp"],
    "variables": sorted(name for name, _ in environment(inside, Path("/home"), "1:1", "1")), "compose": generate.text(),
}))
"""


def test_one_more_component_is_in_every_table_by_its_folder_and_its_place_in_the_list(tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__")
    for package in ("targets", "compose", "faults"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    own = tmp_path / "targets" / "brokerage" / "otp"
    own.mkdir()
    (own / "__init__.py").write_text("")
    (own / "component.py").write_text(DECLARED)
    listed = tmp_path / "targets" / "brokerage" / "components.py"
    text = listed.read_text().replace("COMPONENTS: ", "from targets.brokerage.otp.component import OTP\n\nCOMPONENTS: ")
    listed.write_text(text.replace("    MONITOR,\n", "    OTP,\n    MONITOR,\n"))
    done = subprocess.run(
        [sys.executable, "-E", "-P", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{TABLES}"],
        cwd="/", capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    compose = found.pop("compose")
    for table in ("services", "partitionable", "everywhere", "watched", "hosted", "logs"):
        assert "otp" in found[table], table
    assert {"otp", "otp_http", "otp-pg"} <= set(found["ports"])
    assert "otp-pg" in found["links"]
    assert found["link"] == ["otp", "postgres"]
    assert found["asked_at"]
    assert found["passing"] == [["otp", "bank"], ["monitor", "otp"]]
    assert found["scraped"] == [[f"otp:{found['http']}"]]
    assert {"IP_OTP", "PORT_OTP", "PORT_OTP_HTTP", "VIA_OTP_PG"} <= set(found["variables"])
    for line in (
        'command: ["otp"]', "127.0.0.1:${PORT_OTP_HTTP}:${PORT_OTP_HTTP}", "127.0.0.1:${VIA_OTP_PG}:${VIA_OTP_PG}",
        "secrets:/stack/secrets", 'device: "${KUNREN_INSIDE:?}/secrets"',
    ):  # fmt: skip
        assert line in compose, line
