"""How many files a run keeps open at once in one process, and the limits that this process passes on to all of them.

A customer is a connection: one descriptor in the load generator and in the service that answers, two in the proxy
between them. The limit holds for each process, so the one with most of them decides. The harness raises its own soft
limit before it starts anything, and whatever it starts inherits that.
"""

from __future__ import annotations

import math
import resource
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter

from drills.errors import MissingMeans
from drills.spec.drill import Drill, catalogue, load_drill
from drills.spec.request import RunRequest
from drills.spec.stepped import busiest
from drills.spec.target import profile_of, system
from loadprofiles import PROFILES, Profile

OWN = 256
"""Of a process beside its customers: libraries, logs, listening sockets, pools, connections between services."""
FIX = (
    "raise it: ulimit -Hn {files} as root, LimitNOFILE={files} in a systemd unit, nofile in /etc/security/limits.conf,"
    " --ulimit nofile={files} for a container"
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Of open files, as ``ulimit -Sn`` and ``ulimit -Hn`` show them; what is unlimited is ``sys.maxsize``."""

    soft: int
    hard: int

    def __str__(self) -> str:
        return f"soft limit {_shown(self.soft)}, hard limit {_shown(self.hard)}"


def limits() -> Limits:
    """Of this process."""
    found = resource.getrlimit(resource.RLIMIT_NOFILE)
    return Limits(*(sys.maxsize if each == resource.RLIM_INFINITY else each for each in found))


def needed(profile: Profile, per_customer: int, arrivals: Mapping[str, float] | None = None) -> int:
    """Files that the fullest process holds, where a customer takes ``per_customer`` of them.

    Customers who gave up come again, those who insist several times, while the connection that they left is not closed
    yet everywhere. ``arrivals``: the most a second of each service, where a fault brings more than the profile has.
    """
    insists = profile.behaviour.insistence
    tries = 1 if insists is None else 1 + insists.retries
    per_s = sum((arrivals or profile.services).values())
    coming_again = math.ceil(per_s * tries * profile.patience.longest_s)
    return per_customer * (profile.customers + coming_again) + OWN


def needed_by(drill: Drill, profile: Profile, per_customer: int) -> int:
    """Files that a run of the drill takes."""
    return needed(profile, per_customer, busiest(drill.timeline, profile.services))


def largest(per_customer: int) -> tuple[Profile, int]:
    """The profile of the drill of the catalogue that needs most, and how many."""
    drills = [load_drill(name) for name in catalogue(variants=True)]
    found = [(PROFILES[drill.load], needed_by(drill, PROFILES[drill.load], per_customer)) for drill in drills]
    return max(found, key=itemgetter(1))


def lack(profile: Profile, files: int) -> str | None:
    """What this machine's hard limit falls short of; None where it does not."""
    if limits().hard >= files:
        return None
    return f"{profile.customers} customers of load {profile.name} take {files} open files in one process; {limits()}"


def refuse_lack(request: RunRequest) -> int:
    """Files that the run needs; MissingMeans, with the numbers, where the hard limit is below that."""
    runtime = system(request.target)
    profile = profile_of(request.drill.load, runtime.capabilities())
    files = needed_by(request.drill, profile, runtime.files_per_customer)
    lacks = lack(profile, files)
    if lacks is not None:
        raise MissingMeans([lacks], FIX.format(files=files))
    return files


def provide(files: int) -> None:
    """Raise the soft limit to ``files``, or as far as the hard limit allows; a higher one stays."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(files, limits().hard)
    if limits().soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _shown(limit: int) -> str:
    return "unlimited" if limit == sys.maxsize else str(limit)
