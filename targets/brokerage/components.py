"""The components of the brokerage, a line each; they are started in this order, each after what it needs.

What a component declares is in the ``component.py`` of its folder, and nothing of it stands anywhere else.
"""

from __future__ import annotations

from targets.brokerage.api.component import API
from targets.brokerage.bank.component import BANK
from targets.brokerage.batch.component import BATCH
from targets.brokerage.declaration import Component
from targets.brokerage.edge.component import EDGE
from targets.brokerage.exchange.component import EXCHANGE
from targets.brokerage.gateway.component import GATEWAY
from targets.brokerage.mail.component import MAIL
from targets.brokerage.monitor.component import ALERTMANAGER, MONITOR
from targets.brokerage.mta.component import MTA
from targets.brokerage.pager.component import PAGER
from targets.brokerage.programs import BROKERCTL, LAUNCHER, POSTGRES, TOXIPROXY
from targets.brokerage.relay.component import RELAY
from targets.brokerage.valuation.component import VALUATION
from targets.brokerage.vendor.component import VENDOR
from targets.brokerage.volumes.component import VOLUMES
from targets.brokerage.withdrawals.component import WITHDRAWALS

COMPONENTS: tuple[Component, ...] = (
    POSTGRES,
    PAGER,
    EXCHANGE,
    BANK,
    VALUATION,
    GATEWAY,
    WITHDRAWALS,
    API,
    RELAY,
    EDGE,
    VENDOR,
    BATCH,
    MAIL,
    MTA,
    MONITOR,
    TOXIPROXY,
    VOLUMES,
    LAUNCHER,
    BROKERCTL,
    ALERTMANAGER,
)
