"""HTTP requests a second over kept-alive connections, directly and through the embedded proxy, in turns.

    python tests/bench/throughput.py [--requests 4000] [--repeat 3]

Server, proxy and clients are processes of their own; each connection asks again as soon as it is answered, so the
figure is what the slowest of them can do on these cores, and only the ratio means something elsewhere.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # run as a script, this folder alone would be searched

from targets.ports import claim_block
from targets.proxy_engine import engine_command
from targets.toxiproxy import ToxiproxyClient

CONNECTIONS = 16
BODY = b"x" * 200
REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n" + BODY
REQUEST = b"GET /quote?code=7203 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
TIMEOUT_S = 60


class Answer(asyncio.Protocol):
    """One reply for each request; a request comes whole here, for its client waits for the reply."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(REPLY * data.count(b"\r\n\r\n"))  # type: ignore[attr-defined]


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", port)
    print("ready", flush=True)
    await server.serve_forever()


async def ask(port: int, requests: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(requests):
        writer.write(REQUEST)
        reply = await reader.readexactly(len(REPLY))
        assert reply == REPLY
    writer.close()


async def rate(port: int, requests: int) -> float:
    began = time.perf_counter()
    async with asyncio.timeout(TIMEOUT_S), asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(ask(port, requests))
    return CONNECTIONS * requests / (time.perf_counter() - began)


def measure(requests: int, repeat: int) -> None:
    import uvloop

    block = claim_block()
    upstream, api, listen = block.ports[:3]
    argv = [sys.executable, __file__, "--serve", str(upstream)]
    server = subprocess.Popen(argv, stdout=subprocess.PIPE)
    engine = subprocess.Popen(engine_command("embedded", api), stdout=subprocess.DEVNULL)
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        client = ToxiproxyClient("127.0.0.1", api)
        client.wait_ready(10)
        client.create("http", f"127.0.0.1:{listen}", f"127.0.0.1:{upstream}")
        uvloop.run(rate(listen, 50))  # warm
        pairs = [tuple(uvloop.run(rate(port, requests)) for port in (upstream, listen)) for _ in range(repeat)]
    finally:
        for process in (server, engine):
            process.terminate()
            process.wait(5)
    direct, through = (max(pair[side] for pair in pairs) for side in (0, 1))
    print(
        f"{CONNECTIONS} connections: direct {direct:,.0f} requests/s, embedded proxy {through:,.0f} requests/s,", end=""
    )
    print(f" ratio {through / direct:.2f} (best of {repeat}, in turns)")


def main() -> None:
    parser = argparse.ArgumentParser(description="HTTP requests a second, directly and through the embedded proxy.")
    parser.add_argument("--requests", type=int, default=4000, help="of each connection")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        import uvloop

        uvloop.run(serve(asked.serve))
    measure(asked.requests, asked.repeat)


if __name__ == "__main__":
    main()
