"""The exchange's rules as the api checks them before anything is reserved: pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from targets.brokerage.instrument import Instrument

LOT = 100


class OrderBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a customer asks for: ``quantity`` in shares, ``price`` in yen a share."""

    code: str
    side: Literal["buy", "sell"]
    quantity: int
    price: int


class Refusal(Exception):
    """A business refusal or a failure as the customer sees it: HTTP status, error code, a sentence, more fields."""

    def __init__(self, status: int, code: str, says: str, **fields: str | float) -> None:
        super().__init__(says)
        self.status = status
        self.code = code
        self.says = says
        self.fields = fields


def check_order(order: OrderBody, instruments: Mapping[str, Instrument]) -> None:
    """Refusal (422) when the order breaks a rule of the market."""
    instrument = instruments.get(order.code)
    if instrument is None:
        raise Refusal(422, "UNKNOWN_CODE", f"no instrument {order.code}")
    if order.quantity <= 0 or order.quantity % LOT:
        raise Refusal(422, "LOT_SIZE", f"quantity must be a multiple of {LOT}")
    if order.price <= 0 or order.price % instrument.tick:
        raise Refusal(422, "TICK", f"price must be a multiple of {instrument.tick}")
    if not instrument.low <= order.price <= instrument.high:
        raise Refusal(422, "PRICE_LIMIT", f"price must be from {instrument.low} to {instrument.high}")
