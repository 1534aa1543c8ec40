"""The form of ``schedule.yaml``: its keys, and what may stand under each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import msgspec
from msgspec import Meta, field

from drills.spec.calendarkinds import (
    Address,
    Day,
    Exchange,
    Few,
    Flag,
    Recurrence,
    TimeOfDay,
    Variable,
    Weekday,
    Zone,
)
from drills.spec.forms import kind
from drills.spec.values import TEXT, AnyNames, Bilingual, ByName, Duration, Names, Slug, Text, one_of

DAYS = ("business", "closed", "any")
"""On which days an entry may take place: business days, all others, or either."""
OTHERWISE = ("skip", "later", "earlier")
"""What becomes of a date on a day that is closed to it."""
OCCASIONS = ("before", "after", "finding", "missed")
"""On which somebody is told."""

if TYPE_CHECKING:
    Days: TypeAlias = str
    Otherwise: TypeAlias = str
    Occasion: TypeAlias = str
    Language: TypeAlias = str
    Name: TypeAlias = str
    Link: TypeAlias = str
else:
    Days = one_of(DAYS, "kind of day")
    Otherwise = one_of(OTHERWISE, "way out")
    Occasion = one_of(OCCASIONS, "occasion")
    Language = one_of(("en", "ja"), "language")
    Name = kind("name", lambda node: node.text("a name"), TEXT)
    Link = kind("link", lambda node: node.text("a link such as https://drills.example/{run}"), TEXT)


class BusinessForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which days are business days: those of the exchange's calendar, else Monday to Friday; never one's holidays."""

    calendar: Exchange | None = None
    holidays: AnyNames[Day] = ()


class WindowForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When drills may take place; one that ends no later than it begins ends on the next day."""

    opens: TimeOfDay = field(name="from")
    closes: TimeOfDay = field(name="to")
    days: AnyNames[Weekday] = ()


class MonthEnds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first and the last business days of each month."""

    first: Few | None = None
    last: Few | None = None


class BlackoutForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When none may: whole days, said in one of three ways."""

    why: Bilingual
    first: Day | None = field(name="from", default=None)
    last: Day | None = field(name="to", default=None)
    every: Recurrence | None = None
    month: MonthEnds | None = None


class BudgetForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For how long drills may take place in all, by what each takes at most."""

    day: Duration | None = None
    week: Duration | None = None
    month: Duration | None = None


class ReceiverForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is told; the address itself, or where it stands: it often holds a password."""

    url: Address | None = None
    env: Variable | None = None
    file: Text | None = None
    on: Names[Occasion] = OCCASIONS
    lang: Language = "en"
    attach: Flag = False


class EntryForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is drilled, and when."""

    drills: Names[Name]
    every: Recurrence
    since: Day
    at: TimeOfDay
    target: Text = "local"
    arms: AnyNames[Name] = ()
    until: Day | None = None
    days: Days = "business"
    otherwise: Otherwise = "skip"
    jitter: Duration | None = None
    late: Duration | None = None
    tell: Names[Name] | None = None


class ScheduleFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``schedule.yaml`` as it is written, in the order of its keys."""

    name: Slug = field(name="schedule")
    zone: Zone
    windows: Annotated[tuple[WindowForm, ...], Meta(min_length=1, description="a list of windows")]
    entries: ByName[EntryForm]
    business: BusinessForm = BusinessForm()
    blackouts: Annotated[tuple[BlackoutForm, ...], Meta(description="a list of blackouts")] = ()
    budget: BudgetForm = BudgetForm()
    tell: ByName[ReceiverForm] = {}
    link: Link | None = None
