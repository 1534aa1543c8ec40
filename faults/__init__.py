"""Ways to break a target: one small file per primitive, all of them in ``FAULTS``."""

from __future__ import annotations

from typing import Any

from faults.bandwidth import Bandwidth
from faults.down import Down
from faults.kill import Kill
from faults.latency import Latency
from faults.limit_data import LimitData
from faults.load_step import LoadStep
from faults.partition import Partition
from faults.pause import Pause
from faults.planted import Planted
from faults.reset_peer import ResetPeer
from faults.slicer import Slicer
from faults.slip import Slip
from faults.slow_close import SlowClose
from faults.timeout import Timeout

FAULTS: dict[str, type[Any]] = {
    "latency": Latency,
    "bandwidth": Bandwidth,
    "slow-close": SlowClose,
    "timeout": Timeout,
    "reset-peer": ResetPeer,
    "slicer": Slicer,
    "limit-data": LimitData,
    "down": Down,
    "kill": Kill,
    "pause": Pause,
    "partition": Partition,
    "planted": Planted,
    "slip": Slip,
    "load-step": LoadStep,
}
"""Kind in a drill file -> fault."""
