"""How ``brokerctl`` reaches a running stack: the services' operator endpoints and the launcher's control port."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any

from targets import http_sync
from targets.brokerage.config import Address, Config
from targets.brokerage.operations.outcome import Ended, HalfWay, NotReached, Refused
from targets.brokerage.topology import TOPOLOGY

TIMEOUT_S = 5.0


class Stack:
    """A stack's services as an operator reaches them. Every call has a time-out and raises ``Ended``."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def api(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask the api."""
        return self.ask("api", method, path, body)

    def gateway(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, timeout_s: float = TIMEOUT_S
    ) -> dict[str, Any]:
        """Ask the gateway."""
        return self.ask("gateway", method, path, body, timeout_s)

    def ask(
        self, service: str, method: str, path: str, body: Mapping[str, Any] | None = None, timeout_s: float = TIMEOUT_S
    ) -> dict[str, Any]:
        """The JSON object that ``service`` answers. Refused on 4xx, HalfWay on 5xx, on silence and on nonsense."""
        headers = {"X-Ops-Token": self.config.token, "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body).encode()
        try:
            reply = http_sync.ask(self.address(service), method, path, timeout_s, body=sent, headers=headers)
            found = json.loads(reply.body)
        except http_sync.NoReply as error:
            raise self._no_reply(service, error, timeout_s) from error
        except ValueError as error:
            raise HalfWay(f"{service} broke off: {_words(error)}; {self.check(service)}") from error
        return self._judge(service, reply.status, found)

    def control(self, request: Mapping[str, Any], timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
        """One request to the launcher, that is, to the host the services run on."""
        line = json.dumps({**request, "token": self.config.token}).encode() + b"\n"
        try:
            sock = self._to_launcher(timeout_s)
        except OSError as error:
            raise NotReached(f"the stack {self.config.stack} does not run: its launcher does not answer") from error
        with sock:
            try:
                sock.sendall(line)
                answer = json.loads(sock.makefile("rb").readline())
            except (OSError, ValueError) as error:
                raise HalfWay(f"the launcher broke off: {_words(error)}; check: brokerctl status") from error
        if not isinstance(answer, dict) or not answer.get("ok"):
            says = answer.get("error") if isinstance(answer, dict) else answer
            raise HalfWay(f"the launcher would not {request.get('verb')}: {says}; check: brokerctl status")
        return answer

    def processes(self) -> dict[str, dict[str, Any]]:
        """Service -> pid, state (running|exited), exit, from the launcher."""
        found: dict[str, dict[str, Any]] = self.control({"verb": "status"})["services"]
        return found

    def address(self, service: str) -> Address:
        """Where the service is reached by HTTP."""
        return self.config.at(TOPOLOGY.components[service].http)

    def here(self) -> str | None:
        """The service in whose container brokerctl itself runs, and would end with it; None among processes."""
        return TOPOLOGY.operators_host if self.config.control else None

    def check(self, service: str) -> str:
        """Where to look when ``service`` misbehaves."""
        return f"check: brokerctl status, {self.config.logs}/{service}.log"

    def _to_launcher(self, timeout_s: float) -> socket.socket:
        if not self.config.control:
            return socket.create_connection(self.config.at("launcher"), timeout=timeout_s)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(timeout_s)
        try:
            sock.connect(self.config.control)
        except OSError:
            sock.close()
            raise
        return sock

    def _no_reply(self, service: str, error: http_sync.NoReply, timeout_s: float) -> Ended:
        check = self.check(service)
        if not error.connected:
            return NotReached(f"{service} accepts no connection ({_words(error.cause)}); {check}")
        if isinstance(error.cause, TimeoutError):
            return HalfWay(f"{service} did not answer within {timeout_s:g} s; {check}")
        return HalfWay(f"{service} broke off: {_words(error.cause)}; {check}")

    def _judge(self, service: str, status: int, found: Any) -> dict[str, Any]:
        facts: dict[str, Any] = found if isinstance(found, dict) else {"answer": found}
        if 200 <= status < 300:
            return facts
        says = str(facts.get("says") or facts.get("error") or f"status {status}")
        if 400 <= status < 500:
            raise Refused(f"{service} refused: {says}", facts)
        raise HalfWay(f"{service} failed: {says}; {self.check(service)}", facts)


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
