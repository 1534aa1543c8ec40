"""The one typed place of configuration: every service of a stack loads the same ``config.json``.

Fields ending in ``_s`` are seconds, in ``_ns`` nanoseconds of CLOCK_MONOTONIC. Secrets here belong to a drill stack
that lives for a minute on this machine; they exist so that stacks cannot be mistaken for each other.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import msgspec

from targets.brokerage.numbering import WIDTH
from targets.brokerage.topology import TOPOLOGY

ServiceName = Literal["inquiry", "repayment", "orders", "withdrawal", "pages"]
"""What customers can do, and operators open and close."""

SERVICES: tuple[ServiceName, ...] = get_args(ServiceName)

Overflow = Literal["wait", "store", "old-prices", "second-node"]
"""What becomes of an order that finds no slot: it waits in line; it is stored and acknowledged at once, for a forwarder
to send it on; a node takes it whose prices are those of when it was started; a node sends it over a session of its own.
"""

LABEL = "kunren.drill-target"
"""What a target shows to prove that it may be broken."""

FILE = "config.json"

LOOPBACK = "127.0.0.1"

COMPRESSION = 60
"""Business seconds a second, unless told otherwise: a minute of a drill is an hour of the brokerage."""


class Address(NamedTuple):
    """Where something listens: a name or an address, and a port."""

    host: str
    port: int


class ClockConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Business time is ``business`` (ISO 8601) at ``anchor_ns`` and then runs ``compression`` times as fast.

    In a stack it stands still at ``business`` until the day is opened (``clock.DayClock``).
    """

    anchor_ns: int
    business: str
    compression: int = COMPRESSION
    phase: str = "D3"


class ApiConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds of the customers' API and the service level its gauges measure."""

    pool: int = 12
    pool_wait_s: float = 2.0
    slots: int = 0  # orders on their way to the exchange at a time, the others wait in line; 0: all at once
    queue_wait_s: float = 30.0  # then an order in line is sent away
    collar: float = 0.0  # a limit further from the last price known, as a share of it, is refused; 0: none is
    lock_timeout_s: float = 2.0
    database_s: float = 4.0  # longest any database work may take before its connection is cut
    ack_timeout_s: float = 1.0  # then an order that was sent is `unknown`
    bank_timeout_s: float = 1.0  # then a repayment that was sent to the bank is `unknown`
    slo_latency_s: float = 1.0
    slo_budget: float = 0.01
    slo_short_s: float = 1.0
    slo_long_s: float = 6.0
    slo_least_events: int = 5


class EdgeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds of the edge."""

    rate_limit: int = 0  # requests a second that are let in; 0: all
    max_connection_age_s: float = 0.0  # then a connection is closed with an answer; 0: as long as customers keep it
    session_tickets: int = 0  # that who connects is given, to resume the session with; 0: whole handshakes alone
    handshake_s: float = 10.0
    answer_s: float = 30.0  # longer than any customer waits: who gives up first should be the customer


class RelayConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds of the relay."""

    answer_s: float = 30.0
    rotate_bytes: int = 250_000  # then the log is put aside, and older ones are packed and shipped off the volume


class GatewayConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The exchange session as the member keeps it."""

    identity: str = "KUNREN"
    heartbeat_s: float = 0.25
    reconnect_s: float = 2.0  # silence before a fresh logon is tried, on the same link
    window: int = 16  # NewOrderSingle outstanding at a time
    logon_s: float = 2.0
    request_s: float = 3.0  # status, capture and link changes wait this long for the exchange
    reserve: int = 5_000  # outgoing sequence numbers made durable ahead of their use


class ExchangeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The exchange simulator: matching cycles, fills, retransmission."""

    cycle_s: float = 0.15
    jitter: float = 0.15  # of the cycle, either way
    resend_per_s: float = 60.0
    fill_from_s: float = 1.0
    fill_to_s: float = 8.0
    never_fill: float = 0.15
    drift_per_s: float = 0.0  # by which the price of the day's first instrument moves, a share of it
    number_width: int = WIDTH  # digits of an order number that it takes at most
    silent_s: float = 30.0  # then a silent member is disconnected; long, for a proxy that swallows data lets a FIN pass
    reserve: int = 5_000


class MailConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often the spool looks for notices, and how many it takes at a time."""

    poll_s: float = 0.1
    batch: int = 200


class MtaConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often the mail agent looks into the spool."""

    poll_s: float = 0.05


class BankConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bank: how much it takes at a time, and for which accounts it knows no payee."""

    most_yen: int = 100_000_000
    no_payee_every: int = 8  # of the accounts one in so many has no payee registered, to whom it pays nothing out


class WithdrawalsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Withdrawals, and the link to the bank that they have for themselves."""

    pool: int = 4
    answer_s: float = 2.0  # then one that was sent to the bank is `unknown`
    longest_delay_s: float = 4.0  # until then the bank may still book what it says it does not know
    inquire_s: float = 1.0  # longest wait for an inquiry
    ratio_s: float = 2.0  # over how long the share of unanswered requests is taken
    ratio_least: int = 5


class VendorConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The certificate vendor: how long it takes until somebody has answered a request to its hotline."""

    hotline_s: float = 4.0


class ValuationConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The valuation service: how long a cycle is; calls are answered at the end of theirs."""

    cycle_s: float = 0.001


class BatchConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The night batch; ``start``, ``roll`` and ``opening`` are business times of day (``HH:MM``) on the stack's day."""

    start: str = "18:08"
    roll: str = "18:16"  # from then on pages show the next business date, whatever the batch has done
    opening: str = "18:45"  # by then the night's work must be done
    chunk: int = 100  # accounts marked in one transaction
    pause_s: float = 0.1  # between two chunks, for the online session to catch up
    block: int = 500  # lots of an isolated account marked in one transaction
    call_s: float = 2.0  # longest wait for the valuation service
    job_s: float = 10.0  # longest a single statement of the short jobs may take
    poll_s: float = 0.1
    blocked_s: float = 0.25  # how often lock waits are looked at


class MonitorConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often the monitor scrapes, and how long it waits for an answer."""

    scrape_interval_s: float = 0.25
    timeout_s: float = 0.2


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stack: who it is, where its parts are, how they behave. ``folder`` holds its state, ``logs`` its logs.

    ``ports`` and ``via`` number the ports and links that the components declare: where each part listens, and where the
    proxy of each link does, to which its client connects. ``hosts`` says under which name a component is reached; one
    that is not named is on this machine.
    """

    stack: str
    token: str
    seed: int
    folder: str
    logs: str
    ports: Mapping[str, int]
    via: Mapping[str, int]
    clock: ClockConfig
    hosts: Mapping[str, str] = {}
    listen: str = LOOPBACK  # the address on which the services listen
    network: str = ""  # that of its containers, as in 198.18.0.0/27
    control: str = ""  # Unix socket of who starts and ends services; none: the launcher's port
    environment: str = "drill"
    label: str = LABEL
    proxy_engine: str = "auto"
    edge: EdgeConfig = EdgeConfig()
    relay: RelayConfig = RelayConfig()
    api: ApiConfig = ApiConfig()
    gateway: GatewayConfig = GatewayConfig()
    exchange: ExchangeConfig = ExchangeConfig()
    mail: MailConfig = MailConfig()
    mta: MtaConfig = MtaConfig()
    bank: BankConfig = BankConfig()
    withdrawals: WithdrawalsConfig = WithdrawalsConfig()
    vendor: VendorConfig = VendorConfig()
    valuation: ValuationConfig = ValuationConfig()
    batch: BatchConfig = BatchConfig()
    monitor: MonitorConfig = MonitorConfig()

    def host(self, component: str) -> str:
        """Under which name the component is reached."""
        return self.hosts.get(component, LOOPBACK)

    def at(self, port: str) -> Address:
        """Where a declared port is reached directly; KeyError for one that no component declares."""
        return Address(self.host(TOPOLOGY.owners[port]), self.ports[port])

    def through(self, link: str) -> Address:
        """Where the link's client connects: at its proxy. KeyError for a link that no component declares."""
        return Address(self.host(TOPOLOGY.proxy), self.via[link])


def settings() -> dict[str, float]:
    """The numbers of a stack's configuration as it comes, ``SECTION.FIELD``, and how large its volumes are.

    Times in seconds.
    """
    return {**adjustable(), **{name: float(each) for name, each in _volumes()}}


def adjustable() -> dict[str, float]:
    """Of these, the ones that a stack may be configured with otherwise, as they come."""
    sections = {name: default for name, default in _defaults() if isinstance(default, msgspec.Struct)}
    found = {f"{name}.{key}": each for name, part in sections.items() for key, each in _fields(part)}
    return {name: each for name, each in found.items() if isinstance(each, int | float)}


def adjusted(config: Config, settings: Mapping[str, float]) -> Config:
    """With these settings in place of the usual ones; KeyError for one that is not adjustable."""
    usual, changed = adjustable(), dict[str, msgspec.Struct]()
    for name, value in settings.items():
        section, _, field = name.partition(".")
        part = changed.get(section, getattr(config, section))
        changed[section] = msgspec.structs.replace(part, **{field: type(usual[name])(value)})
    return msgspec.structs.replace(config, **changed)


def _volumes() -> Iterator[tuple[str, int]]:
    for name, volume in TOPOLOGY.limited.items():
        yield f"{name}.bytes", volume.kilobytes * 1024
        yield f"{name}.inodes", volume.inodes


def _defaults() -> Iterator[tuple[str, object]]:
    return ((field.name, field.default) for field in msgspec.structs.fields(Config))


def _fields(part: msgspec.Struct) -> Iterable[tuple[str, object]]:
    return msgspec.structs.asdict(part).items()


def load(folder: Path | None = None) -> Config:
    """The configuration in ``folder``, or in the one ``KUNREN_STACK`` names.

    Raises OSError when there is none and ValueError (ValidationError, TopologyError) when it is not one of ours.
    """
    if folder is None:
        named = os.environ.get("KUNREN_STACK")
        if not named:
            raise FileNotFoundError("no stack: set KUNREN_STACK to a stack's folder or name it")
        folder = Path(named)
    config = msgspec.json.decode((folder / FILE).read_bytes(), type=Config)
    TOPOLOGY.check_numbers(config.ports, config.via)
    return config


def save(config: Config) -> Path:
    """Write ``config.json`` into the stack's folder, whole or not at all; returns its path."""
    path = Path(config.folder) / FILE
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(msgspec.json.format(msgspec.json.encode(config), indent=2))
    temporary.replace(path)
    return path


def password(seed: int, customer: str) -> str:
    """The password of a customer such as ``C-0001``; load and api derive it from the same seed."""
    return _digest(f"password:{seed}".encode(), customer)[:16]


def customer_token(secret: str, customer: str) -> str:
    """Bearer token of a logged-in customer. Stateless, so that it outlives a restart of the api."""
    return f"{customer}.{_digest(secret.encode(), customer)[:32]}"


def customer_of(secret: str, token: str) -> str | None:
    """The customer a bearer token was made for; None when it is not one of ours."""
    customer = token.partition(".")[0]
    return customer if hmac.compare_digest(customer_token(secret, customer), token) else None


def _digest(secret: bytes, text: str) -> str:
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
