"""Whether this machine has an IPv6 loopback address: tests that need it are skipped where it has none, fail in CI."""

from __future__ import annotations

import os
import socket

import pytest

from targets.loopback import IPV6


def needs_ipv6() -> None:
    if has_ipv6():
        return
    if "CI" in os.environ:
        pytest.fail("CI must have ::1")
    pytest.skip("this machine has no ::1")


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind((IPV6, 0))
    except OSError:
        return False
    return True
