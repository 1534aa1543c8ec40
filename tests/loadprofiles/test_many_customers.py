"""All customers of a drill of ours, through the embedded proxy, from a shell with the usual limit of open files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HARNESS = """
import subprocess, sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from load_fake import FakeBrokerage
from load_rig import make_load, wait_for
from drills.execution.openfiles import limits, needed, provide
from loadprofiles import PROFILES
from targets import children
from targets.proxy_engine import engine_command
from targets.toxiproxy import ToxiproxyClient
folder, profile = Path(sys.argv[1]), PROFILES["day-session"]
print(limits())
provide(needed(profile, 2))
port = folder / "port"
with (folder / "proxy.log").open("wb") as log:
    proxy = subprocess.Popen(engine_command("embedded", 0, port), stdout=log, stderr=log)
wait_for(port.exists)
with FakeBrokerage() as fake, make_load(folder, profile) as load:
    client = ToxiproxyClient("127.0.0.1", int(port.read_text()))
    client.wait_ready()
    door = client.create("door", "127.0.0.1:0", fake.url.rpartition("/")[2])
    load.start()
    load.prepare(f"http://{door}", within_s=120)
    print(fake.connections, "connections")
proxy.terminate()
proxy.wait(30)
"""


def test_they_all_come_in_where_the_soft_limit_is_1024(tmp_path: Path) -> None:
    whole = ["sh", "-c", 'ulimit -S -n 1024 && exec "$0" "$@"', sys.executable, "-c", HARNESS, str(tmp_path)]
    done = subprocess.run(
        [*whole, str(Path(__file__).parent)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.stdout.startswith("soft limit 1024, "), done.stderr
    assert done.stdout.endswith("\n1500 connections\n"), done.stderr
    assert (tmp_path / "proxy.log").read_text().count("\n") == 1  # its address, and no complaint
