"""What customers order: small quantities of what they can pay for or hold, near the base price. Pure but for Means."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from loadprofiles.profiles import Behaviour

LOT = 100


@dataclass(frozen=True, slots=True)
class Instrument:
    """An instrument of the day: base price, tick and limits in yen."""

    code: str
    base: int
    tick: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """A limit order: shares and yen a share."""

    code: str
    side: Literal["buy", "sell"]
    quantity: int
    price: int

    @property
    def yen(self) -> int:
        """What it costs or brings in full."""
        return self.quantity * self.price


@dataclass(slots=True)
class Means:
    """What a customer believes to have left: opening cash, shares and loan less everything ordered or repaid so far."""

    cash: int
    shares: dict[str, int] = field(default_factory=dict)
    loan: int = 0

    def commit(self, ticket: Ticket) -> None:
        """Set aside what the ticket needs; nothing is given back, so a customer never oversells."""
        if ticket.side == "buy":
            self.cash -= ticket.yen
        else:
            self.shares[ticket.code] -= ticket.quantity


@dataclass(frozen=True, slots=True)
class World:
    """What the load reads of the world: accounts in order, each with its means, and the instruments of the day."""

    accounts: Sequence[str]
    means: Mapping[str, Means]
    instruments: Sequence[Instrument]


def read_world(rows: Iterable[Mapping[str, Any]]) -> World:
    """From rows of the world book; kinds the load does not need are passed over. KeyError on a row without a field."""
    means: dict[str, Means] = {}
    instruments = []
    for row in rows:
        if row["kind"] == "account":
            means[row["id"]] = Means(row["cash"])
        elif row["kind"] == "holding":
            account, code = row["id"].split("/")
            means[account].shares[code] = row["quantity"]
        elif row["kind"] == "loan":
            means[row["id"]].loan = row["principal"]
        elif row["kind"] == "price":
            instruments.append(Instrument(row["id"], row["base"], row["tick"], row["low"], row["high"]))
    return World(sorted(means), means, sorted(instruments, key=lambda each: each.code))


def write_ticket(rng: random.Random, means: Means, instruments: Sequence[Instrument], habits: Behaviour) -> Ticket:
    """The next order of a customer who comes to trade."""
    held = sorted(code for code, shares in means.shares.items() if shares >= LOT)
    if held and (rng.random() < habits.sell or means.cash < LOT * min(each.base for each in instruments)):
        code = rng.choice(held)
        instrument = next(each for each in instruments if each.code == code)
        lots = rng.randint(1, min(habits.lots, means.shares[code] // LOT))
        return Ticket(code, "sell", lots * LOT, _limit(rng, instrument, habits.ticks))
    return write_purchase(rng, means.cash, instruments, habits) or _one_lot(rng, instruments, habits)


def write_purchase(rng: random.Random, yen: int, instruments: Sequence[Instrument], habits: Behaviour) -> Ticket | None:
    """A purchase for at most ``yen``; None where not even one lot of the instrument in mind can be paid."""
    instrument = in_mind(rng, instruments, habits)
    price = _limit(rng, instrument, habits.ticks)
    lots = min(rng.randint(1, habits.lots), yen // (price * LOT))
    return Ticket(instrument.code, "buy", lots * LOT, price) if lots >= 1 else None


def in_mind(rng: random.Random, instruments: Sequence[Instrument], habits: Behaviour) -> Instrument:
    """What somebody is interested in who holds nothing of it."""
    talked_about = habits.focus > 0 and rng.random() < habits.focus
    return instruments[0] if talked_about else rng.choice(instruments)


def at_price(ticket: Ticket, instrument: Instrument, price: int) -> Ticket:
    """The same order where the instrument's price is not its base any more: as far from it, within the day's limits."""
    wish = min(max(ticket.price + price - instrument.base, instrument.low), instrument.high)
    onto = wish - wish % instrument.tick
    return replace(ticket, price=onto if onto >= instrument.low else onto + instrument.tick)


def write_repayment(rng: random.Random, cash: int, loan: int, habits: Behaviour) -> int:
    """Yen to repay, in thousands, of the cash that was shown; 0 where that or the loan does not suffice."""
    wish = int(cash * rng.uniform(*habits.repay_share))
    yen = min(wish, loan)
    return max(0, yen - yen % 1_000)


def _one_lot(rng: random.Random, instruments: Sequence[Instrument], habits: Behaviour) -> Ticket:
    """Somebody without means tries all the same: the brokerage must say no."""
    instrument = rng.choice(instruments)
    return Ticket(instrument.code, "buy", LOT, _limit(rng, instrument, habits.ticks))


def _limit(rng: random.Random, instrument: Instrument, ticks: int) -> int:
    """A price on tick, near the base and within the day's limits."""
    wish = instrument.base + rng.randint(-ticks, ticks) * instrument.tick
    wish = min(max(wish, instrument.low), instrument.high)
    onto = wish - wish % instrument.tick
    return onto if onto >= instrument.low else onto + instrument.tick
